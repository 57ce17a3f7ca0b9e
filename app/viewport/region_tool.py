"""The region's box in the viewport: its handles, and what dragging them does."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from app.platform.scaling import px
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.projection import project
from core.geometry.box import Box
from core.geometry.rigid import transform_points

GRAB_PX = 12
"""Distance from which a handle can be grabbed."""
MIN_HALF_SIZE = 0.02
"""Scene units."""
MIN_AXIS_PX = 20
"""Length of half an axis on screen below which its faces cannot be dragged."""
_FACES = np.concatenate([np.eye(3), -np.eye(3)])


def face_centers(box: Box) -> np.ndarray:
    """Return the centres of the faces, [6, 3]; those at the upper ends of the axes first."""
    return transform_points(box.frame_from_cube, _FACES)


def drag_face(
    box: Box,
    handle: int,
    by: tuple[float, float],
    camera: OrbitCamera,
    size: tuple[int, int],
    whole: bool = False,
) -> Box:
    """Return a box after one of its faces was dragged along its axis.

    Args:
        box: Scene frame.
        handle: Number of the face, see `face_centers`.
        by: Movement of the mouse, pixels.
        camera: The camera.
        size: Width and height of the viewport, pixels.
        whole: Whether the opposite face moves too.
    """
    at, axis, outward = face_centers(box)[handle], handle % 3, box.axes @ _FACES[handle]
    step = 0.01 * box.half[axis]
    pixels, _ = project(np.stack([at, at + step * outward]), camera, size)
    along = (pixels[1] - pixels[0]) / step
    move = float(along @ by / max(along @ along, 1e-9))
    half = box.half.copy()
    if not whole:
        half[axis] = max(half[axis] + 0.5 * move, MIN_HALF_SIZE)
        move = half[axis] - box.half[axis]
    return Box.of(box.center + move * outward, half, box.axes)


class RegionTool:
    """The region and the handle that is being dragged."""

    def __init__(self, on_changed: Callable[[Box], None]) -> None:
        """Create the tool; ``on_changed`` gets the box when a drag of it ends."""
        self.box: Box | None = None
        self.shown = True
        self._on_changed = on_changed
        self._grabbed: int | None = None

    def grab_handle(self, x: float, y: float, camera: OrbitCamera, size: tuple[int, int]) -> bool:
        """Grab the handle at a pixel; returns whether there is one."""
        if self.box is None or not self.shown:
            return False
        pixels, free = self.handle_pixels(camera, size)
        away = np.where(free, np.linalg.norm(pixels - (x, y), axis=1), math.inf)
        self._grabbed = int(away.argmin()) if away.min() < px(GRAB_PX) else None
        return self._grabbed is not None

    def handle_pixels(
        self, camera: OrbitCamera, size: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the pixels of the handles [6, 2], and which of them [6] can be dragged."""
        assert self.box is not None
        pixels, before = project(face_centers(self.box), camera, size)
        middle, _ = project(self.box.center, camera, size)
        return pixels, before & (np.linalg.norm(pixels - middle, axis=1) > px(MIN_AXIS_PX))

    def free_handles(self, camera: OrbitCamera, size: tuple[int, int]) -> np.ndarray:
        """Return the handles that can be dragged, [H, 3], scene frame; none while hidden."""
        if self.box is None or not self.shown:
            return np.zeros((0, 3))
        _, free = self.handle_pixels(camera, size)
        return face_centers(self.box)[free]

    def drag_handle(
        self, dx: float, dy: float, camera: OrbitCamera, size: tuple[int, int], whole: bool
    ) -> None:
        """Move the handle that was grabbed; see `drag_face`."""
        assert self.box is not None
        assert self._grabbed is not None
        self.box = drag_face(self.box, self._grabbed, (dx, dy), camera, size, whole)

    def release_handle(self) -> None:
        """End the drag."""
        assert self.box is not None
        self._grabbed = None
        self._on_changed(self.box)
