"""What stands in the viewport besides the picture: cameras, sparse points, the region, markers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from app import theme
from app.gui import dpg
from app.orbit_camera import OrbitCamera
from app.projection import draw_frusta, frusta, project, splat
from app.region_tool import RegionTool
from core.geometry.box import Box
from core.geometry.rigid import transform_points
from core.messages import Arranged, Opened, Point, Solving

A_LENS = (math.radians(40), 4 / 3)
"""Field of view and aspect of cameras that are not known yet."""


class Stage:
    """Everything is in the scene frame. ``changed`` gets the region's box when a drag of it ends.
    While poses are being solved, what was found so far stands there instead of what is open."""

    def __init__(self, changed: Callable[[Box], None]) -> None:
        self.region = RegionTool(changed)
        self.markers: tuple[Point, ...] = ()
        """places that were picked; joined by a line"""
        self.opened: Opened | None = None
        self.solving: Solving | None = None
        self.cameras = np.zeros((0, 4, 4))
        self._points = np.zeros((0, 3), np.float32)

    def open(self, opened: Opened) -> None:
        """Show what was newly opened."""
        self._points = _points(opened.points)
        self.region.shown = True
        self._take(opened.arranged)

    def arrange(self, arranged: Arranged) -> None:
        """Move all to where it is now."""
        moved = np.reshape(arranged.moved, (4, 4))
        self._points = transform_points(moved, self._points)
        self.markers = tuple(
            point_of(transform_points(moved, np.array([p]))[0]) for p in self.markers
        )
        self._take(arranged)

    def _take(self, arranged: Arranged) -> None:
        self.cameras = _poses(arranged.cameras)
        self.region.box = Box(np.reshape(arranged.region, (4, 4)))

    def dots(self, camera: OrbitCamera, size: tuple[int, int]) -> np.ndarray | None:
        """The picture, uint8 [H, W, 3], while there is no surface; None where there are no points
        to show."""
        if self.solving is not None:
            points = _points(self.solving.points)
        else:
            points = self._points if self.opened is not None else self._points[:0]
        return splat(points, camera, size) if len(points) else None

    def draw(self, parent: str, camera: OrbitCamera, size: tuple[int, int], *, bare: bool) -> None:
        """Draw into the layer ``parent``; ``bare``: there is no surface, so cameras are shown."""
        if self.solving is not None:
            corners = frusta(_poses(self.solving.cameras), *A_LENS)
            draw_frusta(parent, corners, camera, size)
            return
        opened = self.opened
        if opened is None:
            return
        if bare:
            corners = frusta(self.cameras, opened.fov_y, opened.aspect)
            draw_frusta(parent, corners, camera, size)
        self.region.draw(parent, camera, size)
        if self.markers:
            self._draw_markers(parent, camera, size)

    def _draw_markers(self, parent: str, camera: OrbitCamera, size: tuple[int, int]) -> None:
        pixels, before = project(np.array(self.markers), camera, size)
        places = pixels[before].tolist()
        dpg.draw_polyline(places, parent=parent, color=theme.PLOT_LOSS, thickness=2)
        for place in places:
            dpg.draw_circle(place, 4, parent=parent, color=theme.PLOT_LOSS, fill=theme.TEXT)


def upright_axes(arranged: Arranged) -> tuple[float, ...]:
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
