"""The photo over the rendering, its caption, and the legend.

The photo covers all of the picture, or the part left of a divider, or all of it every other moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px
from app.text.catalog import tr
from app.viewport.camera_controller import CameraController
from app.viewport.legend import INK, Legend, draw_label, draw_legend
from app.viewport.orbit_camera import OrbitCamera
from core.protocol import PhotoReady
from core.protocol.pixel_ring import PreviewRing

CompareMode = Literal["photo", "split", "blink"]
"""How photo and rendering are compared."""
BLINK_S = 0.5
"""Seconds that each of photo and rendering is seen."""
DIVIDER_REACH_PX = 8
"""Distance from which the divider can be dragged, pixels before scaling."""
KNOB_RADIUS = 7
TEXT_CORNER, LINE_HEIGHT = (12, 10), 32
"""Place of the first line of text, and the distance to the next; pixels before scaling."""


@dataclass(frozen=True)
class PhotoView:
    """A view that a photo was rendered for."""

    photo: str
    """Name of the photo; "" for none."""
    camera: OrbitCamera
    """The camera."""
    size: tuple[int, int]
    """Width and height of the viewport, pixels."""


class PhotoOverlay:
    """Draws into a layer of the item "canvas_area"."""

    def __init__(self, controller: CameraController) -> None:
        """Create the layer; ``controller`` has the current view."""
        self._controller = controller
        self.min_view_id = 0
        """Photos of earlier views belong to another camera or size."""
        self._compare_mode: CompareMode | None = None
        self.photo_caption: Callable[[str], str] = lambda name: name
        """Returns the caption of a photo, by its name."""
        self.legend = Legend()
        self.shows_photo = False
        """Whether any part of the photo is on screen."""
        self._divider = 0.5
        self._texture: int | str = 0
        self._texture_view: PhotoView | None = None
        self._drawn_key: object = None
        dpg.add_texture_registry(tag="photo_textures")
        dpg.add_draw_layer(tag="over", parent="canvas_area")

    def toggle_compare(self, mode: CompareMode) -> None:
        """Start a comparison, or end it if it is of the same ``mode``."""
        self._compare_mode = None if self._compare_mode == mode else mode
        if self._compare_mode is not None and not self._controller.photo:
            self._controller.step_photo(0)

    @property
    def _covers_all(self) -> bool:
        """Whether the photo hides the rendering now."""
        turn = int(time.perf_counter() / BLINK_S) % 2 == 0
        return self._compare_mode == "photo" or (self._compare_mode == "blink" and turn)

    @property
    def _photo_view(self) -> PhotoView:
        return PhotoView(self._controller.photo, self._controller.camera, self._controller.size)

    def load_photo(self, ready: PhotoReady, ring: PreviewRing) -> None:
        """Take the photo that ``ready`` announces from ``ring``."""
        view = self._photo_view
        if ready.view_id < self.min_view_id:
            return
        slot = ready.slot, ready.sequence, ready.width, ready.height
        with ring.reading(*slot) as pixels:
            if pixels is None or ready.name != view.photo:
                return
            rgba = np.ones((ready.height, ready.width, 4), np.float32)
            np.multiply(pixels, np.float32(1 / 255), out=rgba[..., :3])
        self._delete_photo()
        # a static texture is uploaded once, a raw one in every frame
        self._texture = dpg.add_static_texture(
            ready.width,
            ready.height,
            rgba.ravel(),
            parent="photo_textures",  # type: ignore[arg-type]
        )
        self._texture_view = view

    def _delete_photo(self) -> None:
        dpg.delete_item("over", children_only=True)
        self._drawn_key, self._texture_view = None, None
        if self._texture:
            dpg.delete_item(self._texture)
            self._texture = 0

    def hits_divider(self, x: float) -> bool:
        """Return whether the divider can be dragged at column ``x`` of the viewport, pixels."""
        compares = self._compare_mode == "split" and self._texture_view == self._photo_view
        return compares and abs(x - self._divider * self._controller.size[0]) < px(DIVIDER_REACH_PX)

    def drag_divider(self, dx: float) -> None:
        """Move the divider by ``dx`` pixels."""
        self._divider = min(max(self._divider + dx / self._controller.size[0], 0.0), 1.0)

    def draw_overlay(self) -> None:
        """Draw everything, if it changed; once per frame."""
        view = self._photo_view
        photo_caption = self.photo_caption(view.photo) if view.photo else ""
        whole = self._covers_all
        now = (
            view,
            self._compare_mode,
            whole,
            self._divider,
            self._texture,
            photo_caption,
            self.legend,
        )
        if now == self._drawn_key:
            return
        self._drawn_key = now
        dpg.delete_item("over", children_only=True)
        width, height = view.size
        wanted, here = self._compare_mode is not None, self._texture_view == view
        self.shows_photo = here and (whole or self._compare_mode == "split")
        if self.shows_photo:
            self._draw_photo(None if whole else self._divider, width, height)
        if view.photo:
            draw_label("over", (px(TEXT_CORNER[0]), px(TEXT_CORNER[1])), photo_caption)
        if wanted and not here:
            words = tr("photo_overlay.loading" if view.photo else "photo_overlay.hint")
            below = px(TEXT_CORNER[1] + LINE_HEIGHT * bool(view.photo))
            draw_label("over", (px(TEXT_CORNER[0]), below), words)
        if not whole:
            draw_legend("over", self.legend, view.size)

    def _draw_photo(self, divider: float | None, width: int, height: int) -> None:
        """Draw the photo, all of it or as far as ``divider``, a fraction of the width."""
        fraction = 1.0 if divider is None else divider
        x = fraction * width
        dpg.draw_image(self._texture, (0, 0), (x, height), parent="over", uv_max=(fraction, 1))
        if divider is None:
            return
        dpg.draw_line((x, 0), (x, height), parent="over", color=INK, thickness=px(2))
        dpg.draw_circle(
            (x, height / 2), px(KNOB_RADIUS), parent="over", color=INK, fill=theme.ACCENT
        )
        beside, y = px(TEXT_CORNER[0]), height - px(LINE_HEIGHT)
        draw_label("over", (x - beside, y), tr("photo_overlay.photo"), right=True)
        other = "error" if self.legend.mode == "error" else "rendering"
        draw_label("over", (x + beside, y), tr(f"photo_overlay.{other}"))
