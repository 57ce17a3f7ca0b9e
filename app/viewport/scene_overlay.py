"""What is drawn around the surface: cameras, points, region, ground, markers."""

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

DEFAULT_LENS = (math.radians(40), 4 / 3)
"""Field of view and aspect ratio of cameras that are not known yet."""
POINT_PX, MARKER_PX, HANDLE_PX = 2.0, 9.0, 12.0
"""Sizes on screen, pixels before scaling."""
AXIS_LABEL_PX = 10
"""Height of the letters at the axes."""
CAMERA_CLICK_PX = 12
"""Distance from which a camera can be clicked."""


@dataclass(frozen=True, eq=False)
class OverlayGeometry:
    """Cameras and points, and what they are drawn as."""

    poses: np.ndarray
    """scene_from_camera [N, 4, 4]."""
    corners: np.ndarray
    """Frusta of the cameras [N, 5, 3]."""
    dots: np.ndarray
    """[P] `DOT`."""
    photos: np.ndarray
    """[N] `PHOTO`."""

    @staticmethod
    def build(
        poses: np.ndarray, lenses: tuple[tuple[float, float], ...], points: np.ndarray
    ) -> OverlayGeometry:
        """Build what is drawn.

        Args:
            poses: scene_from_camera [N, 4, 4].
            lenses: Of each camera the vertical field of view, radians, and the aspect ratio.
            points: [P, 3].
        """
        corners = shapes.frusta(poses, lenses)
        return OverlayGeometry(
            poses,
            corners,
            shapes.dot_records(points, theme.TEXT, POINT_PX),
            shapes.photo_records(corners),
        )


NO_GEOMETRY = OverlayGeometry.build(np.zeros((0, 4, 4)), (), np.zeros((0, 3)))


class SceneOverlay:
    """The overlay of the open scene, in the scene frame.

    While poses are being solved, those found so far are shown instead.
    """

    def __init__(self, on_region_changed: Callable[[Box], None]) -> None:
        """Create an empty overlay; ``on_region_changed`` gets the box after a drag of it."""
        self.region = RegionTool(on_region_changed)
        self.markers: tuple[Point, ...] = ()
        """Points that were picked; joined by a line."""
        self.camera_path = np.zeros((0, 3))
        """[N, 3] along the path of a video."""
        self.show_cameras = True
        self.show_points = True
        self.show_grid = True
        self.opened: Opened | None = None
        self.partial_poses: PosesSoFar | None = None
        self.selected_photo: int | None = None
        """Index of the photo that was looked through last."""
        self.thumbnails: np.ndarray | None = None
        self.lenses: tuple[tuple[float, float], ...] = ()
        """Of each camera the vertical field of view, radians, and the aspect ratio."""
        self._scene_geometry = self._partial_geometry = NO_GEOMETRY
        self._arrangement: Arrangement | None = None
        self._points = np.zeros((0, 3), np.float32)
        self._ground: np.ndarray | None = None
        self._frusta: tuple[object, np.ndarray] | None = None

    @property
    def cameras(self) -> np.ndarray:
        """scene_from_camera of the photos, [N, 4, 4]."""
        return self._scene_geometry.poses

    def on_opened(self, opened: Opened) -> None:
        """Show a new scene."""
        self._points = _decode_points(opened.points)
        self.region.shown = self.show_cameras = self.show_points = True
        self.thumbnails, self.selected_photo = None, None
        self.opened = opened
        self._rebuild(opened.arrangement)

    def set_partial_poses(self, partial_poses: PosesSoFar | None) -> None:
        """Show the poses found so far; None for the open scene."""
        self.partial_poses = partial_poses
        if partial_poses is not None:
            poses = _decode_poses(partial_poses.cameras)
            self._partial_geometry = OverlayGeometry.build(
                poses, (DEFAULT_LENS,) * len(poses), _decode_points(partial_poses.points)
            )

    def on_arranged(self, arranged: Arrangement) -> None:
        """Move everything along with the scene."""
        moved = np.reshape(arranged.scene_from_old_scene, (4, 4))
        self._points = transform_points(moved, self._points)
        self.markers = tuple(
            to_point(transform_points(moved, np.array([p]))[0]) for p in self.markers
        )
        self._rebuild(arranged)

    def _rebuild(self, arranged: Arrangement) -> None:
        assert self.opened is not None
        self._arrangement = arranged
        poses = _decode_poses(arranged.cameras)
        one = (self.opened.fov_y, self.opened.aspect)
        self.lenses = self.opened.lenses or (one,) * len(poses)
        self._scene_geometry = OverlayGeometry.build(poses, self.lenses, self._points)
        box = Box(np.reshape(arranged.region, (4, 4)))
        self.region.box = box
        upright = np.reshape(arranged.upright_from_scene, (4, 4))
        self._ground = shapes.ground_grid(upright, box, theme.GROUND)

    def restyle(self) -> None:
        """Use the colours of a new theme."""
        self._frusta = None
        if self._arrangement is not None and self.opened is not None:
            self._rebuild(self._arrangement)
        self.set_partial_poses(self.partial_poses)

    def set_thumbnails(self, thumbnails: np.ndarray | None) -> None:
        """Set the thumbnails, uint8 [N, h, w, 3] in the order of the cameras."""
        self.thumbnails = thumbnails

    @property
    def geometry(self) -> OverlayGeometry:
        """Cameras and points that are shown."""
        if self.partial_poses is not None:
            return self._partial_geometry
        return self._scene_geometry if self.opened is not None else NO_GEOMETRY

    def lines(self, camera: OrbitCamera, size: tuple[int, int]) -> np.ndarray:
        """Return cameras, ground and axes as lines; labels face the ``camera``."""
        parts: list[np.ndarray] = []
        if self.show_grid and self.opened is not None and self.partial_poses is None:
            assert self._ground is not None
            names = shapes.axis_labels(self._ground[-3:], camera, size, px(AXIS_LABEL_PX))
            parts += [self._ground, names]
        if self.show_cameras:
            parts.append(self._frustum_lines())
        return np.concatenate(parts) if parts else np.zeros(0, shapes.LINE)

    def _frustum_lines(self) -> np.ndarray:
        chosen = self.selected_photo if self.partial_poses is None else None
        of = (self.geometry, chosen)
        if self._frusta is None or self._frusta[0] != of:
            drawn = shapes.frustum_lines(self.geometry.corners, theme.FRUSTUM, chosen, theme.ACCENT)
            self._frusta = of, drawn
        return self._frusta[1]

    def outlines(self) -> np.ndarray | None:
        """Return region, markers and camera path as lines; None for none."""
        parts: list[np.ndarray] = []
        if self.partial_poses is None and self.opened is not None:
            if self.region.box is not None and self.region.shown:
                parts.append(shapes.box_lines(self.region.box, theme.ACCENT))
            for places in (np.array(self.markers), self.camera_path):
                if len(places) > 1:
                    ends = np.stack([places[:-1], places[1:]], 1)
                    parts.append(shapes.line_records(ends, theme.PLOT_LOSS, 2.0))
        return np.concatenate(parts) if parts else None

    def marker_dots(self, camera: OrbitCamera, size: tuple[int, int]) -> np.ndarray | None:
        """Return markers and the region's handles that can be dragged as dots; None for none."""
        if self.partial_poses is not None or self.opened is None:
            return None
        free = self.region.free_handles(camera, size)
        parts = [shapes.dot_records(free, theme.ACCENT, HANDLE_PX)]
        if self.markers:
            parts.append(shapes.dot_records(np.array(self.markers), theme.PLOT_LOSS, MARKER_PX))
        return np.concatenate(parts)

    def camera_at(
        self, x: float, y: float, camera: OrbitCamera, size: tuple[int, int]
    ) -> int | None:
        """Return the index of the photo whose camera is drawn at a pixel; None for none."""
        if not self.show_cameras or self.partial_poses is not None or not len(self.cameras):
            return None
        pixels, before = project(self._scene_geometry.corners.mean(1), camera, size)
        away = np.where(before, np.linalg.norm(pixels - (x, y), axis=1), math.inf)
        return int(away.argmin()) if away.min() < px(CAMERA_CLICK_PX) else None


def upright_axes(arranged: Arrangement) -> tuple[float, ...]:
    """Return the axes of the upright frame, as in `OrbitCamera.axes`."""
    turn = np.reshape(arranged.upright_from_scene, (4, 4))[:3, :3]
    return tuple((turn / np.linalg.norm(turn[2])).T.ravel().tolist())


def to_point(v: np.ndarray) -> Point:
    """Convert ``v`` [3] to a point of a message."""
    x, y, z = v.tolist()
    return x, y, z


def _decode_points(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.float32).reshape(-1, 3)


def _decode_poses(cameras: tuple[tuple[float, ...], ...]) -> np.ndarray:
    return np.array(cameras, float).reshape(-1, 4, 4)
