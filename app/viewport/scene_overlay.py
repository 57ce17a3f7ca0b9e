"""What stands in the viewport besides the picture: cameras, sparse points, the region, the ground,
markers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app import theme
from app.gl import shapes
from app.platform.scaling import px
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.projection import project
from app.viewport.region_tool import RegionTool
from core.geometry.box import Box
from core.geometry.rigid import transform_points
from core.geometry.view import Point
from core.protocol import Arrangement, Opened, PosesSoFar

A_LENS = (math.radians(40), 4 / 3)
"""Field of view and aspect of cameras that are not known yet."""
POINT, MARKER, HANDLE = 2.0, 9.0, 12.0
"""Pixels across, before scaling."""
AXIS_NAME = 10
"""Pixels that the letters at the axes are high."""
NEAR_A_CAMERA = 12
"""Pixels from where a camera can be clicked."""


@dataclass(frozen=True, eq=False)
class Standing:
    """Cameras and points that stand there, and what they are drawn as; see `Frame`."""

    poses: np.ndarray
    corners: np.ndarray
    dots: np.ndarray
    photos: np.ndarray

    @staticmethod
    def of(
        poses: np.ndarray, lenses: tuple[tuple[float, float], ...], points: np.ndarray
    ) -> Standing:
        corners = shapes.frusta(poses, lenses)
        return Standing(
            poses, corners, shapes.dots(points, theme.TEXT, POINT), shapes.photos(corners)
        )


NOTHING = Standing.of(np.zeros((0, 4, 4)), (), np.zeros((0, 3)))


class Stage:
    """Everything is in the scene frame. ``changed`` gets the region's box when a drag of it ends.
    While poses are being solved, what was found so far stands there instead of what is open."""

    def __init__(self, changed: Callable[[Box], None]) -> None:
        self.region = RegionTool(changed)
        self.markers: tuple[Point, ...] = ()
        """places that were picked; joined by a line"""
        self.camera_path = np.zeros((0, 3))
        """[N, 3] of a film's camera"""
        self.cameras_shown = True
        self.points_shown = True
        self.ground_shown = True
        self.opened: Opened | None = None
        self.solving: PosesSoFar | None = None
        self.chosen: int | None = None
        """number of the photo that was looked through last"""
        self.thumbnails: np.ndarray | None = None
        self.lenses: tuple[tuple[float, float], ...] = ()
        """of each camera the angle from top to bottom, radians, and the aspect"""
        self._standing = self._found = NOTHING
        self._arranged: Arrangement | None = None
        self._points = np.zeros((0, 3), np.float32)
        self._ground: np.ndarray | None = None
        self._frusta: tuple[object, np.ndarray] | None = None

    @property
    def cameras(self) -> np.ndarray:
        """[N, 4, 4] of the photos that are open."""
        return self._standing.poses

    def open(self, opened: Opened) -> None:
        """Show what was newly opened."""
        self._points = _points(opened.points)
        self.region.shown = self.cameras_shown = self.points_shown = True
        self.thumbnails, self.chosen = None, None
        self.opened = opened
        self._take(opened.arranged)

    def solve(self, solving: PosesSoFar | None) -> None:
        """Show the poses found so far; None: what is open again."""
        self.solving = solving
        if solving is not None:
            poses = _poses(solving.cameras)
            self._found = Standing.of(poses, (A_LENS,) * len(poses), _points(solving.points))

    def arrange(self, arranged: Arrangement) -> None:
        """Move all to where it is now."""
        moved = np.reshape(arranged.moved, (4, 4))
        self._points = transform_points(moved, self._points)
        self.markers = tuple(
            point_of(transform_points(moved, np.array([p]))[0]) for p in self.markers
        )
        self._take(arranged)

    def _take(self, arranged: Arrangement) -> None:
        assert self.opened is not None
        self._arranged = arranged
        poses = _poses(arranged.cameras)
        one = (self.opened.fov_y, self.opened.aspect)
        self.lenses = self.opened.lenses or (one,) * len(poses)
        self._standing = Standing.of(poses, self.lenses, self._points)
        box = Box(np.reshape(arranged.region, (4, 4)))
        self.region.box = box
        upright = np.reshape(arranged.upright_from_scene, (4, 4))
        self._ground = shapes.ground(upright, box, theme.GROUND)

    def restyle(self) -> None:
        """Draw it in the colours of the theme, which have changed."""
        self._frusta = None
        if self._arranged is not None and self.opened is not None:
            self._take(self._arranged)
        self.solve(self.solving)

    def set_thumbnails(self, thumbnails: np.ndarray | None) -> None:
        """Small pictures uint8 [N, h, w, 3] of the photos, in the order of the cameras."""
        self.thumbnails = thumbnails

    @property
    def standing(self) -> Standing:
        """What is seen of cameras and points."""
        if self.solving is not None:
            return self._found
        return self._standing if self.opened is not None else NOTHING

    def lines(self, camera: OrbitCamera, size: tuple[int, int]) -> np.ndarray:
        """Of cameras and the ground with its axes, whose names face the ``camera``."""
        parts = []
        if self.ground_shown and self.opened is not None and self.solving is None:
            assert self._ground is not None
            names = shapes.axis_names(self._ground[-3:], camera, size, px(AXIS_NAME))
            parts += [self._ground, names]
        if self.cameras_shown:
            parts.append(self._frustum_lines())
        return np.concatenate(parts) if parts else np.zeros(0, shapes.LINE)

    def _frustum_lines(self) -> np.ndarray:
        chosen = self.chosen if self.solving is None else None
        of = (self.standing, chosen)
        if self._frusta is None or self._frusta[0] != of:
            drawn = shapes.frustum_lines(self.standing.corners, theme.FRUSTUM, chosen, theme.ACCENT)
            self._frusta = of, drawn
        return self._frusta[1]

    def outlines(self) -> np.ndarray | None:
        """Of the region, and between the markers."""
        parts = []
        if self.solving is None and self.opened is not None:
            if self.region.box is not None and self.region.shown:
                parts.append(shapes.box_lines(self.region.box, theme.ACCENT))
            for places in (np.array(self.markers), self.camera_path):
                if len(places) > 1:
                    ends = np.stack([places[:-1], places[1:]], 1)
                    parts.append(shapes.lines(ends, theme.PLOT_LOSS, 2.0))
        return np.concatenate(parts) if parts else None

    def marks(self, camera: OrbitCamera, size: tuple[int, int]) -> np.ndarray | None:
        """The region's handles that can be dragged, and the markers."""
        if self.solving is not None or self.opened is None:
            return None
        free = self.region.free_handles(camera, size)
        parts = [shapes.dots(free, theme.ACCENT, HANDLE)]
        if self.markers:
            parts.append(shapes.dots(np.array(self.markers), theme.PLOT_LOSS, MARKER))
        return np.concatenate(parts)

    def camera_at(
        self, x: float, y: float, camera: OrbitCamera, size: tuple[int, int]
    ) -> int | None:
        """Number of the photo whose camera is drawn at a pixel of the viewport."""
        if not self.cameras_shown or self.solving is not None or not len(self.cameras):
            return None
        pixels, before = project(self._standing.corners.mean(1), camera, size)
        away = np.where(before, np.linalg.norm(pixels - (x, y), axis=1), math.inf)
        return int(away.argmin()) if away.min() < px(NEAR_A_CAMERA) else None


def upright_axes(arranged: Arrangement) -> tuple[float, ...]:
    """As in `OrbitCamera.axes`."""
    turn = np.reshape(arranged.upright_from_scene, (4, 4))[:3, :3]
    return tuple((turn / np.linalg.norm(turn[2])).T.ravel().tolist())


def point_of(v: np.ndarray) -> Point:
    """``v`` [3] as a message holds it."""
    x, y, z = v.tolist()
    return x, y, z


def _points(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.float32).reshape(-1, 3)


def _poses(cameras: tuple[tuple[float, ...], ...]) -> np.ndarray:
    return np.array(cameras, float).reshape(-1, 4, 4)
