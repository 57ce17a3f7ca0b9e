"""The mouse on the viewport: it turns, moves and zooms the camera, and drags the region."""

from __future__ import annotations

import math
from collections.abc import Callable

from app.gui import dpg
from app.orbit_camera import OrbitCamera
from app.region_tool import RegionTool

ORBIT_PER_PIXEL = math.radians(0.4)
ZOOM_PER_NOTCH = 0.88
A_CLICK = 4  # pixels; a mouse that moved less did not drag
_LEFT, _RIGHT, _MIDDLE = 0, 1, 2


class Hands:
    """On the item "canvas_area". ``clicked`` gets the pixel, from the viewport's corner, of a
    click that was no drag."""

    def __init__(self, region: RegionTool, clicked: Callable[[float, float], None]) -> None:
        self._region = region
        self._clicked = clicked
        self._pressed = (0.0, 0.0)
        self._drag: tuple[str, tuple[float, float]] | None = None
        self._notches = 0.0
        with dpg.handler_registry():
            dpg.add_mouse_wheel_handler(callback=self._wheel)

    @property
    def kind(self) -> str | None:
        """What is being dragged: "orbit", "pan" or "region"; None when nothing is."""
        return self._drag[0] if self._drag else None

    def let_go(self) -> None:
        self._drag = None

    def follow(self, camera: OrbitCamera, size: tuple[int, int]) -> OrbitCamera:
        """``camera`` after what the mouse did since the last call, in a viewport of ``size``."""
        camera = self._zoomed(camera, size)
        x, y = dpg.get_mouse_pos(local=False)
        if self._drag is None:
            self._grab(x, y, camera, size)
            return camera
        kind, (last_x, last_y) = self._drag
        dx, dy = x - last_x, y - last_y
        if (dx, dy) != (0, 0):
            if kind == "region":
                self._region.drag(dx, dy, camera, size, _control())
            elif kind == "orbit":
                camera = camera.orbited(-dx * ORBIT_PER_PIXEL, dy * ORBIT_PER_PIXEL)
            else:
                camera = camera.panned(dx, dy, size[1])
        self._drag = (kind, (x, y)) if _any_button() else None
        if self._drag is None:
            self._released(kind, x, y)
        return camera

    def _grab(self, x: float, y: float, camera: OrbitCamera, size: tuple[int, int]) -> None:
        kind = _drag_kind() if dpg.is_item_hovered("canvas_area") else None
        if kind == "orbit" and self._region.grab(*inside(x, y), camera, size):
            kind = "region"
        self._drag = (kind, (x, y)) if kind else None
        self._pressed = (x, y)

    def _released(self, kind: str, x: float, y: float) -> None:
        if kind == "region":
            self._region.release()
        elif math.dist((x, y), self._pressed) < A_CLICK:
            self._clicked(*inside(x, y))

    def _wheel(self, _sender: object, notches: float) -> None:
        if dpg.is_item_hovered("canvas_area"):
            self._notches += notches

    def _zoomed(self, camera: OrbitCamera, size: tuple[int, int]) -> OrbitCamera:
        if not self._notches:
            return camera
        notches, self._notches = self._notches, 0.0
        x, y = inside(*dpg.get_mouse_pos(local=False))
        cursor = (x - size[0] / 2, y - size[1] / 2)
        return camera.zoomed(ZOOM_PER_NOTCH**notches, cursor, size[1])


def inside(x: float, y: float) -> tuple[float, float]:
    """Pixels from the viewport's corner, of a place in the window."""
    left, top = dpg.get_item_rect_min("canvas_area")
    return x - left, y - top


def _drag_kind() -> str | None:
    if dpg.is_mouse_button_down(_MIDDLE) or dpg.is_mouse_button_down(_RIGHT):
        return "pan"
    if dpg.is_mouse_button_down(_LEFT):
        shift = dpg.is_key_down(dpg.mvKey_LShift) or dpg.is_key_down(dpg.mvKey_RShift)
        return "pan" if shift else "orbit"
    return None


def _control() -> bool:
    return dpg.is_key_down(dpg.mvKey_LControl) or dpg.is_key_down(dpg.mvKey_RControl)


def _any_button() -> bool:
    return any(dpg.is_mouse_button_down(b) for b in (_LEFT, _RIGHT, _MIDDLE))
