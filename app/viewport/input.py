"""Mouse and held keys in the viewport: they move the camera, and drag the region.

Nothing moves on by itself.
"""

from __future__ import annotations

import math
import time
from typing import Protocol

import numpy as np

from app.keys import control_held, is_typing, shift_held
from app.platform.gui import dpg
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.projection import ray
from app.viewport.region_tool import RegionTool

ORBIT_PER_PIXEL = math.radians(0.4)
ZOOM_PER_NOTCH = 0.88
CLICK_PX = 4  # pixels; a mouse that moved less did not drag
"""A mouse that moved less did not drag."""
FLY_SPEED, FLY_SHIFT_FACTOR = 0.7, 4.0
"""Scene units a second, and how many times that with Shift."""
FLY = {
    "W": (0, 0, 1),
    "S": (0, 0, -1),
    "A": (-1, 0, 0),
    "D": (1, 0, 0),
    "Q": (0, 1, 0),
    "E": (0, -1, 0),
}
"""Keys that move the camera while they are held: right, down, forward."""
_LEFT, _RIGHT, _MIDDLE = 0, 1, 2


class ViewportInputHandler(Protocol):
    """Reacts to the mouse; pixels are counted from the viewport's corner."""

    def on_click(self, x: float, y: float, /) -> None:
        """React to a click without a drag."""

    def on_double_click(self, x: float, y: float, /) -> None:
        """React to a double click."""

    def on_press(self, x: float, y: float, /) -> bool:
        """Return whether something here is to be dragged."""
        ...

    def on_drag(self, dx: float, dy: float, /) -> None:
        """Move what was pressed, by pixels."""

    def depth_at(self, x: float, y: float, /) -> float | None:
        """Return the distance of the surface at a pixel, scene units; None if unknown."""


class ViewportInput:
    """Listens on the item "canvas_area"."""

    def __init__(self, region: RegionTool, handler: ViewportInputHandler) -> None:
        self._region = region
        self._handler = handler
        self._pressed = (0.0, 0.0)
        self._drag: tuple[str, tuple[float, float]] | None = None
        self._depth: float | None = None  # of what is being panned
        self._notches = 0.0
        self._doubled = False
        self._last_fly_time: float | None = None
        with dpg.handler_registry():
            dpg.add_mouse_wheel_handler(callback=self._on_wheel)
            dpg.add_mouse_double_click_handler(
                dpg.mvMouseButton_Left, callback=self._on_double_click
            )

    @property
    def drag_kind(self) -> str | None:
        """What is dragged: "orbit", "pan", "region" or "divider"; None for nothing."""
        return self._drag[0] if self._drag else None

    def release(self) -> None:
        """End a drag."""
        self._drag = None

    def move_camera(self, camera: OrbitCamera, size: tuple[int, int]) -> OrbitCamera:
        """Return ``camera`` after the input since the last call; ``size`` in pixels."""
        camera = self._flown(self._zoomed(camera, size))
        if self._doubled:
            self._doubled = False
            self._handler.on_double_click(*to_viewport(*dpg.get_mouse_pos(local=False)))
        x, y = dpg.get_mouse_pos(local=False)
        if self._drag is None:
            self._start_drag(x, y, camera, size)
            return camera
        kind, (last_x, last_y) = self._drag
        dx, dy = x - last_x, y - last_y
        if (dx, dy) != (0, 0):
            if kind == "region":
                self._region.drag_handle(dx, dy, camera, size, control_held())
            elif kind == "divider":
                self._handler.on_drag(dx, dy)
            elif kind == "orbit":
                camera = camera.orbited(-dx * ORBIT_PER_PIXEL, dy * ORBIT_PER_PIXEL)
            else:
                camera = camera.panned(dx, dy, size[1], self._depth)
        self._drag = (kind, (x, y)) if _any_button_down() else None
        if self._drag is None:
            self._end_drag(kind, x, y)
        return camera

    def _start_drag(self, x: float, y: float, camera: OrbitCamera, size: tuple[int, int]) -> None:
        kind = _pressed_kind() if dpg.is_item_hovered("canvas_area") else None
        if kind == "orbit" and self._handler.on_press(*to_viewport(x, y)):
            kind = "divider"
        elif kind == "orbit" and self._region.grab_handle(*to_viewport(x, y), camera, size):
            kind = "region"
        if kind == "pan":
            self._depth = self._handler.depth_at(*to_viewport(x, y))
        self._drag = (kind, (x, y)) if kind else None
        self._pressed = (x, y)

    def _end_drag(self, kind: str, x: float, y: float) -> None:
        if kind == "region":
            self._region.release_handle()
        elif math.dist((x, y), self._pressed) < CLICK_PX:
            self._handler.on_click(*to_viewport(x, y))

    def _on_wheel(self, _sender: object, notches: float) -> None:
        if dpg.is_item_hovered("canvas_area"):
            self._notches += notches

    def _on_double_click(self) -> None:
        self._doubled = dpg.is_item_hovered("canvas_area")

    def _zoomed(self, camera: OrbitCamera, size: tuple[int, int]) -> OrbitCamera:
        if not self._notches:
            return camera
        notches, self._notches = self._notches, 0.0
        x, y = to_viewport(*dpg.get_mouse_pos(local=False))
        under = point_under(x, y, camera, size, self._handler.depth_at(x, y))
        return camera.zoomed(ZOOM_PER_NOTCH**notches, under)

    def _flown(self, camera: OrbitCamera) -> OrbitCamera:
        """Return ``camera`` moved by the keys that are held."""
        held = [direction for key, direction in FLY.items() if dpg.is_key_down(_key_code(key))]
        if not held or control_held() or is_typing():
            self._last_fly_time = None
            return camera
        now = time.perf_counter()
        since, self._last_fly_time = self._last_fly_time, now
        if since is None:
            return camera
        direction = (
            np.sum(held, axis=0)
            * FLY_SPEED
            * (FLY_SHIFT_FACTOR if shift_held() else 1.0)
            * (now - since)
        )
        return camera.moved(*direction.tolist())


def point_under(
    x: float, y: float, camera: OrbitCamera, size: tuple[int, int], depth: float | None
) -> np.ndarray:
    """Return the point seen at a pixel.

    Args:
        x: Pixels from the left.
        y: Pixels from the top.
        camera: The camera.
        size: Width and height of the viewport, pixels.
        depth: Scene units from the camera's plane; None for the depth of the pivot.

    Returns:
        [3], scene frame.
    """
    origin, direction = ray(x, y, camera, size)
    pose = camera.scene_from_camera
    if depth is None:
        depth = float((np.asarray(camera.pivot) - pose[:3, 3]) @ pose[:3, 2])
    return origin + direction * depth / (direction @ pose[:3, 2])


def to_viewport(x: float, y: float) -> tuple[float, float]:
    """Convert a place in the window to pixels from the viewport's corner."""
    left, top = dpg.get_item_rect_min("canvas_area")
    return x - left, y - top


def _key_code(key: str) -> int:
    return getattr(dpg, f"mvKey_{key}")


def _pressed_kind() -> str | None:
    if dpg.is_mouse_button_down(_MIDDLE) or dpg.is_mouse_button_down(_RIGHT):
        return "pan"
    if dpg.is_mouse_button_down(_LEFT):
        return "pan" if shift_held() else "orbit"
    return None


def _any_button_down() -> bool:
    return any(dpg.is_mouse_button_down(b) for b in (_LEFT, _RIGHT, _MIDDLE))
