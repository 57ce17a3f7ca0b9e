"""The preview: its texture, the mouse on it, and the views asked of the worker."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.gui import dpg
from app.orbit_camera import OrbitCamera
from app.overlay import draw_scene
from core.messages import PREVIEW_SHARE, Opened, PreviewMode, PreviewReady, SetView
from core.preview_ring import MAX_PIXELS, PreviewRing

ORBIT_PER_PIXEL = math.radians(0.4)
ZOOM_PER_NOTCH = 0.88
STILL_AFTER_S = 0.15
IN_FLIGHT_S = 1.0
_TEXTURE_STEP = 64
_LEFT, _RIGHT, _MIDDLE = 0, 1, 2


@dataclass(frozen=True)
class Shown:
    """The preview on screen. ``latency_ms`` from the request of its view to its display."""

    view_id: int = 0
    width: int = 0
    height: int = 0
    final: bool = False
    latency_ms: float = 0.0


class Viewport:
    """Lives in the child window "viewport". ``send`` gets a `SetView` whenever camera, size, mode
    or level change: with ``moving`` while they change, and once without when they rest."""

    def __init__(self, send: Callable[[SetView], None]) -> None:
        self.camera = OrbitCamera()
        self.shown = Shown()
        self.view_id = 0
        """of the view asked for last"""
        self._send = send
        self._home = self.camera
        self._overview = self.camera
        self._opened: Opened | None = None
        self._photo = 0
        self._size = (1, 1)
        self._mode: PreviewMode = "color"
        self._levels: int | None = None
        self._share = PREVIEW_SHARE
        self._asked_at: dict[int, float] = {}
        self._dirty = False
        self._resting = True
        self._changed_at = 0.0
        self._drag: tuple[str, tuple[float, float]] | None = None
        self._texture = _Texture()
        dpg.add_texture_registry(tag="textures")
        with dpg.child_window(tag="viewport", no_scrollbar=True, no_scroll_with_mouse=True):
            dpg.add_drawlist(1, 1, tag="canvas_area")
        dpg.bind_item_theme("viewport", "canvas")
        with dpg.handler_registry():
            dpg.add_mouse_wheel_handler(callback=self._wheel)

    # --- what is shown -----------------------------------------------------------------

    def opened(self, opened: Opened) -> None:
        """Look at a newly opened scene from afar, past its first photo."""
        camera = OrbitCamera(up=opened.up, fov_y=opened.fov_y)
        if opened.cameras:
            camera = camera.looking_through(np.array(opened.cameras[0]), opened.fov_y)
        else:
            camera = camera.framed()
        self._home = camera
        self._photo = 0
        self._overview = self.camera = camera.orbited(0.0, 0.15).zoomed(2.2)
        self.clear(opened)
        self.ask()

    def clear(self, opened: Opened | None) -> None:
        """There is no surface (any more): show the cameras of ``opened``, or nothing."""
        self._opened = opened
        self.shown = Shown()
        self._place()

    def resize(self, width: int, height: int) -> None:
        """Take ``width`` x ``height`` pixels of the window."""
        if (width, height) != self._size:
            self._size = (width, height)
            dpg.configure_item("canvas_area", width=width, height=height)
            self._place()
            self._touch()

    def set_look(self, mode: PreviewMode, levels: int | None, share: float) -> None:
        """Change what is drawn of the scene, and for how much of the time; see `SetView`."""
        if (mode, levels, share) != (self._mode, self._levels, self._share):
            self._mode, self._levels, self._share = mode, levels, share
            self._touch()

    def reset(self) -> None:
        self._move(self._home)

    def approach(self) -> None:
        """A surface is about to appear: look through the first photo, unless the person has
        already chosen a view."""
        if self.camera == self._overview:
            self.reset()

    def next_photo(self, step: int) -> None:
        """Look through the next photo, or the one before (``step`` -1)."""
        if self._opened is not None and self._opened.cameras:
            self._photo = (self._photo + step) % len(self._opened.cameras)
            pose = np.array(self._opened.cameras[self._photo])
            self._move(self.camera.looking_through(pose, self._opened.fov_y))

    def frame(self) -> None:
        self._move(self.camera.framed())

    def show(self, preview: PreviewReady, ring: PreviewRing) -> None:
        """Put the pixels that ``preview`` announces on screen."""
        with ring.reading(preview.slot, preview.sequence, preview.width, preview.height) as pixels:
            if pixels is None:
                return
            self._texture.load(pixels)
        asked = self._asked_at.get(preview.view_id)
        first_of_view = preview.view_id != self.shown.view_id
        latency = self.shown.latency_ms
        if asked is not None and first_of_view:
            latency = 1000 * (time.perf_counter() - asked)
        self._asked_at = {k: t for k, t in self._asked_at.items() if k >= preview.view_id}
        self.shown = Shown(
            preview.view_id, preview.width, preview.height, preview.final, latency
        )
        self._place()

    def _place(self) -> None:
        """Draw the texture as large as fits, its aspect kept; without one, the cameras."""
        dpg.delete_item("canvas_area", children_only=True)
        if not self.shown.width:
            if self._opened is not None:
                draw_scene("canvas_area", self._opened, self.camera, self._size)
            return
        width, height = self._size
        scale = min(width / self.shown.width, height / self.shown.height)
        w, h = self.shown.width * scale, self.shown.height * scale
        if abs(w - width) < 0.01 * width + 2 and abs(h - height) < 0.01 * height + 2:
            w, h = width, height  # rounding of a smaller preview, not another shape
        x, y = (width - w) / 2, (height - h) / 2
        dpg.draw_image(
            self._texture.tag, (x, y), (x + w, y + h), parent="canvas_area",
            uv_min=self._texture.uv_min, uv_max=self._texture.uv_max,
        )

    # --- what is asked for -------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether the person is moving the camera right now."""
        return self._drag is not None or not self._resting

    def ask(self) -> None:
        """Ask for the present view again, for instance of a new worker."""
        self._dirty = self._resting = True

    def _touch(self) -> None:
        self._dirty = True
        self._resting = False
        self._changed_at = time.perf_counter()
        if not self.shown.width:
            self._place()

    def _move(self, camera: OrbitCamera) -> None:
        if camera != self.camera:
            self.camera = camera
            self._touch()

    def update(self, enabled: bool) -> None:
        """Once per frame: follow the mouse, and ask for a view when something changed."""
        if not enabled:
            self._drag, self._resting = None, True
            return
        self._follow_mouse()
        if not self._resting and time.perf_counter() - self._changed_at > STILL_AFTER_S:
            self._dirty = self._resting = True
        if self._dirty and (self._resting or not self._in_flight()):
            self._dirty = False
            self._send(self._view(moving=not self._resting))

    def _in_flight(self) -> bool:
        """Whether the picture asked for last is still being drawn. A moving camera waits for it:
        if each new view stopped the last one's picture, a drag would show none at all."""
        asked = self._asked_at.get(self.view_id)
        return (
            self.view_id > self.shown.view_id and asked is not None
            and time.perf_counter() - asked < IN_FLIGHT_S
        )

    def _view(self, moving: bool) -> SetView:
        self.view_id += 1
        self._asked_at[self.view_id] = time.perf_counter()
        width, height = self._size
        shrink = min(1.0, math.sqrt(MAX_PIXELS / (width * height)))
        pose = tuple(float(x) for x in self.camera.scene_from_camera.ravel())
        return SetView(
            self.view_id, pose, self.camera.fov_y,
            max(int(width * shrink), 1), max(int(height * shrink), 1),
            self._mode, self._levels, moving, self._share,
        )

    # --- the mouse ---------------------------------------------------------------------

    def _follow_mouse(self) -> None:
        x, y = dpg.get_mouse_pos(local=False)
        if self._drag is None:
            kind = _drag_kind() if dpg.is_item_hovered("canvas_area") else None
            self._drag = (kind, (x, y)) if kind else None
            return
        kind, (last_x, last_y) = self._drag
        dx, dy = x - last_x, y - last_y
        if (dx, dy) != (0, 0):
            if kind == "orbit":
                turned = self.camera.orbited(-dx * ORBIT_PER_PIXEL, dy * ORBIT_PER_PIXEL)
                self._move(turned)
            else:
                self._move(self.camera.panned(dx, dy, self._size[1]))
        self._drag = (kind, (x, y)) if _any_button() else None
        if self._drag is None:
            self._changed_at = 0.0  # the drag is over: refine at once

    def _wheel(self, _sender: object, notches: float) -> None:
        if not dpg.is_item_hovered("canvas_area"):
            return
        x, y = dpg.get_mouse_pos(local=False)
        left, top = dpg.get_item_rect_min("canvas_area")
        cursor = (x - left - self._size[0] / 2, y - top - self._size[1] / 2)
        self._move(self.camera.zoomed(ZOOM_PER_NOTCH**notches, cursor, self._size[1]))


def _drag_kind() -> str | None:
    if dpg.is_mouse_button_down(_MIDDLE) or dpg.is_mouse_button_down(_RIGHT):
        return "pan"
    if dpg.is_mouse_button_down(_LEFT):
        shift = dpg.is_key_down(dpg.mvKey_LShift) or dpg.is_key_down(dpg.mvKey_RShift)
        return "pan" if shift else "orbit"
    return None


def _any_button() -> bool:
    return any(dpg.is_mouse_button_down(b) for b in (_LEFT, _RIGHT, _MIDDLE))


class _Texture:
    """A raw RGBA texture, filled in place. It is uploaded in every frame, so it is made hardly
    larger than the pixels, and anew when their size changes much."""

    def __init__(self) -> None:
        self.tag: int | str = 0
        self._buffer = np.zeros((0, 0, 4), np.float32)
        self._used = (1, 1)

    def load(self, pixels: np.ndarray) -> None:
        """Take uint8 [H, W, 3]; the edges are repeated once so that filtering stays clean."""
        height, width = pixels.shape[:2]
        room = tuple(-(-(n + 2) // _TEXTURE_STEP) * _TEXTURE_STEP for n in (height, width))
        if self._buffer.shape[:2] != room:
            self._make(*room)
        self._used = (height, width)
        framed = self._buffer[: height + 2, : width + 2]
        np.multiply(pixels, np.float32(1 / 255), out=framed[1:-1, 1:-1, :3])
        framed[0], framed[-1] = framed[1], framed[-2]
        framed[:, 0], framed[:, -1] = framed[:, 1], framed[:, -2]

    def _make(self, height: int, width: int) -> None:
        if self.tag:
            dpg.delete_item("canvas_area", children_only=True)
            dpg.delete_item(self.tag)
        self._buffer = np.ones((height, width, 4), np.float32)
        self.tag = dpg.add_raw_texture(
            width, height, self._buffer, format=dpg.mvFormat_Float_rgba, parent="textures"
        )

    @property
    def uv_min(self) -> tuple[float, float]:
        height, width = self._buffer.shape[:2]
        return 1 / width, 1 / height

    @property
    def uv_max(self) -> tuple[float, float]:
        height, width = self._buffer.shape[:2]
        return (self._used[1] + 1) / width, (self._used[0] + 1) / height
