"""The mouse on the viewport and the keys that are held: they turn, move and zoom the camera, and
drag the region. Nothing moves on by itself."""

from __future__ import annotations

import math
import time
from typing import Protocol

import numpy as np

from app.keys import control_held, shift_held, typing
from app.platform.gui import dpg
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.projection import ray
from app.viewport.region_tool import RegionTool

ORBIT_PER_PIXEL = math.radians(0.4)
ZOOM_PER_NOTCH = 0.88
A_CLICK = 4  # pixels; a mouse that moved less did not drag
FLY_SPEED, FASTER = 0.7, 4.0
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


class Answers(Protocol):
    """What hands ask of that which they are laid on; pixels from the viewport's corner."""

    def clicked(self, x: float, y: float) -> None:
        """The mouse was pressed and released here, and not dragged between."""

    def double_clicked(self, x: float, y: float) -> None: ...

    def grabbed(self, x: float, y: float) -> bool:
        """Whether something lies here that is to be dragged itself."""
        ...

    def dragged(self, dx: float, dy: float) -> None:
        """What was grabbed is to move by so many pixels."""

    def depth_at(self, x: float, y: float) -> float | None:
        """How far before the camera's plane the surface seen there is, scene units; None where
        that is not known."""


class Hands:
    """On the item "canvas_area"."""

    def __init__(self, region: RegionTool, answers: Answers) -> None:
        self._region = region
        self._answers = answers
        self._pressed = (0.0, 0.0)
        self._drag: tuple[str, tuple[float, float]] | None = None
        self._depth: float | None = None  # of what is being panned
        self._notches = 0.0
        self._doubled = False
        self._flying_since: float | None = None
        with dpg.handler_registry():
            dpg.add_mouse_wheel_handler(callback=self._wheel)
            dpg.add_mouse_double_click_handler(dpg.mvMouseButton_Left, callback=self._double)

    @property
    def kind(self) -> str | None:
        """What is being dragged: "orbit", "pan", "region", or what was `grabbed`, "it"; None when
        nothing is."""
        return self._drag[0] if self._drag else None

    def let_go(self) -> None:
        self._drag = None

    def follow(self, camera: OrbitCamera, size: tuple[int, int]) -> OrbitCamera:
        """``camera`` after what was done since the last call, in a viewport of ``size``."""
        camera = self._flown(self._zoomed(camera, size))
        if self._doubled:
            self._doubled = False
            self._answers.double_clicked(*inside(*dpg.get_mouse_pos(local=False)))
        x, y = dpg.get_mouse_pos(local=False)
        if self._drag is None:
            self._grab(x, y, camera, size)
            return camera
        kind, (last_x, last_y) = self._drag
        dx, dy = x - last_x, y - last_y
        if (dx, dy) != (0, 0):
            if kind == "region":
                self._region.drag(dx, dy, camera, size, control_held())
            elif kind == "it":
                self._answers.dragged(dx, dy)
            elif kind == "orbit":
                camera = camera.orbited(-dx * ORBIT_PER_PIXEL, dy * ORBIT_PER_PIXEL)
            else:
                camera = camera.panned(dx, dy, size[1], self._depth)
        self._drag = (kind, (x, y)) if _any_button() else None
        if self._drag is None:
            self._released(kind, x, y)
        return camera

    def _grab(self, x: float, y: float, camera: OrbitCamera, size: tuple[int, int]) -> None:
        kind = _drag_kind() if dpg.is_item_hovered("canvas_area") else None
        if kind == "orbit" and self._answers.grabbed(*inside(x, y)):
            kind = "it"
        elif kind == "orbit" and self._region.grab(*inside(x, y), camera, size):
            kind = "region"
        if kind == "pan":
            self._depth = self._answers.depth_at(*inside(x, y))
        self._drag = (kind, (x, y)) if kind else None
        self._pressed = (x, y)

    def _released(self, kind: str, x: float, y: float) -> None:
        if kind == "region":
            self._region.release()
        elif math.dist((x, y), self._pressed) < A_CLICK:
            self._answers.clicked(*inside(x, y))

    def _wheel(self, _sender: object, notches: float) -> None:
        if dpg.is_item_hovered("canvas_area"):
            self._notches += notches

    def _double(self) -> None:
        self._doubled = dpg.is_item_hovered("canvas_area")

    def _zoomed(self, camera: OrbitCamera, size: tuple[int, int]) -> OrbitCamera:
        if not self._notches:
            return camera
        notches, self._notches = self._notches, 0.0
        x, y = inside(*dpg.get_mouse_pos(local=False))
        under = seen_at(x, y, camera, size, self._answers.depth_at(x, y))
        return camera.zoomed(ZOOM_PER_NOTCH**notches, under)

    def _flown(self, camera: OrbitCamera) -> OrbitCamera:
        """Moved for as long as keys were held since the last call."""
        held = [way for key, way in FLY.items() if dpg.is_key_down(_code(key))]
        if not held or control_held() or typing():
            self._flying_since = None
            return camera
        now = time.perf_counter()
        since, self._flying_since = self._flying_since, now
        if since is None:
            return camera
        way = np.sum(held, axis=0) * FLY_SPEED * (FASTER if shift_held() else 1.0) * (now - since)
        return camera.moved(*way.tolist())


def seen_at(
    x: float, y: float, camera: OrbitCamera, size: tuple[int, int], depth: float | None
) -> np.ndarray:
    """[3], scene frame: what lies ``depth`` before the camera's plane (None: as far as the pivot)
    at a pixel from the viewport's corner."""
    origin, direction = ray(x, y, camera, size)
    pose = camera.scene_from_camera
    if depth is None:
        depth = float((np.asarray(camera.pivot) - pose[:3, 3]) @ pose[:3, 2])
    return origin + direction * depth / (direction @ pose[:3, 2])


def inside(x: float, y: float) -> tuple[float, float]:
    """Pixels from the viewport's corner, of a place in the window."""
    left, top = dpg.get_item_rect_min("canvas_area")
    return x - left, y - top


def _code(key: str) -> int:
    return getattr(dpg, f"mvKey_{key}")


def _drag_kind() -> str | None:
    if dpg.is_mouse_button_down(_MIDDLE) or dpg.is_mouse_button_down(_RIGHT):
        return "pan"
    if dpg.is_mouse_button_down(_LEFT):
        return "pan" if shift_held() else "orbit"
    return None


def _any_button() -> bool:
    return any(dpg.is_mouse_button_down(b) for b in (_LEFT, _RIGHT, _MIDDLE))
