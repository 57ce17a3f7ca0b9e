"""The mouse on the viewport and the keys that are held: they turn, move and zoom the camera, and
drag the region. Nothing moves on by itself."""

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
"""Keys that move the camera while they are held: to its right, down, forward."""
_LEFT, _RIGHT, _MIDDLE = 0, 1, 2


class ViewportInputHandler(Protocol):
    """What hands ask of that which they are laid on; pixels from the viewport's corner."""

    def on_click(self, x: float, y: float) -> None:
        """The mouse was pressed and released here, and not dragged between."""

    def on_double_click(self, x: float, y: float) -> None: ...

    def on_press(self, x: float, y: float) -> bool:
        """Whether something lies here that is to be dragged itself."""
        ...

    def on_drag(self, dx: float, dy: float) -> None:
        """What was grabbed is to move by so many pixels."""

    def depth_at(self, x: float, y: float) -> float | None:
        """How far before the camera's plane the surface seen there is, scene units; None where
        that is not known."""


class ViewportInput:
    """On the item "canvas_area"."""

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
        """ "orbit", "pan", "region" or "divider" while that is dragged, else None."""
        return self._drag[0] if self._drag else None

    def release(self) -> None:
        self._drag = None

    def move_camera(self, camera: OrbitCamera, size: tuple[int, int]) -> OrbitCamera:
        """``camera`` after what was done since the last call, in a viewport of ``size``."""
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
        """Moved for as long as keys were held since the last call."""
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
    """[3], scene frame: what lies ``depth`` before the camera's plane (None: as far as the pivot)
    at a pixel from the viewport's corner."""
    origin, direction = ray(x, y, camera, size)
    pose = camera.scene_from_camera
    if depth is None:
        depth = float((np.asarray(camera.pivot) - pose[:3, 3]) @ pose[:3, 2])
    return origin + direction * depth / (direction @ pose[:3, 2])


def to_viewport(x: float, y: float) -> tuple[float, float]:
    """Pixels from the viewport's corner, of a place in the window."""
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
