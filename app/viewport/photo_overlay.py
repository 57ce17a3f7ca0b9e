"""What lies over the picture: the photo that is looked through, what it is, and what colours mean.

The photo covers all of the picture, or the part left of a line that can be dragged, or all of it
every other moment: the eye sees what moves.
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
from app.text.catalog import say
from app.viewport.camera_controller import Looking
from app.viewport.legend import INK, Legend, draw_legend, draw_words
from app.viewport.orbit_camera import OrbitCamera
from core.protocol import PhotoReady
from core.protocol.pixel_ring import PreviewRing

Comparing = Literal["photo", "split", "blink"]
BLINK_S = 0.5
"""So long the photo and the rendering are seen in turn."""
NEAR_LINE = 8
"""Pixels from where the line can be dragged, before scaling."""
KNOB = 7
CORNER, LINE = (12, 10), 32
"""Where the first line of text begins, and how far below it the next one does."""


@dataclass(frozen=True)
class Place:
    """Where the picture is seen from: ``photo`` is the name of the one looked through, or ""."""

    photo: str
    camera: OrbitCamera
    size: tuple[int, int]


class Over:
    """Draws into a layer of the item "canvas_area" what belongs to the view of ``looking``."""

    def __init__(self, looking: Looking) -> None:
        self._looking = looking
        self.since = 0
        """photos of views before this one are seen from elsewhere, or of another size"""
        self._comparing: Comparing | None = None
        self.caption: Callable[[str], str] = lambda name: name
        """what is said of the photo that is looked through"""
        self.legend = Legend()
        self.shows_photo = False
        """whether it is on screen, all or part of it"""
        self._at = 0.5
        self._texture: int | str = 0
        self._of: Place | None = None
        self._drawn: object = None
        dpg.add_texture_registry(tag="photo_textures")
        dpg.add_draw_layer(tag="over", parent="canvas_area")

    def toggle(self, how: Comparing) -> None:
        """Compare the photo that is looked through with the rendering, or no longer."""
        self._comparing = None if self._comparing == how else how
        if self._comparing is not None and not self._looking.photo:
            self._looking.next_photo(0)

    @property
    def _whole(self) -> bool:
        """Whether it is the photo's turn to be seen, without the rendering."""
        turn = int(time.perf_counter() / BLINK_S) % 2 == 0
        return self._comparing == "photo" or (self._comparing == "blink" and turn)

    @property
    def _place(self) -> Place:
        return Place(self._looking.photo, self._looking.camera, self._looking.size)

    def take(self, ready: PhotoReady, ring: PreviewRing) -> None:
        """Here is the photo that is looked through."""
        place = self._place
        if ready.view_id < self.since:
            return
        slot = ready.slot, ready.sequence, ready.width, ready.height
        with ring.reading(*slot) as pixels:
            if pixels is None or ready.name != place.photo:
                return
            rgba = np.ones((ready.height, ready.width, 4), np.float32)
            np.multiply(pixels, np.float32(1 / 255), out=rgba[..., :3])
        self._drop()
        # a static texture is uploaded once, a raw one in every frame
        self._texture = dpg.add_static_texture(
            ready.width,
            ready.height,
            rgba.ravel(),
            parent="photo_textures",  # type: ignore[arg-type]
        )
        self._of = place

    def _drop(self) -> None:
        dpg.delete_item("over", children_only=True)
        self._drawn, self._of = None, None
        if self._texture:
            dpg.delete_item(self._texture)
            self._texture = 0

    def grab(self, x: float) -> bool:
        """Whether the line is there to be dragged at column ``x`` of the viewport."""
        compares = self._comparing == "split" and self._of == self._place
        return compares and abs(x - self._at * self._looking.size[0]) < px(NEAR_LINE)

    def drag(self, dx: float) -> None:
        self._at = min(max(self._at + dx / self._looking.size[0], 0.0), 1.0)

    def update(self) -> None:
        """Once per frame: draw what is to be seen, if that is not drawn yet."""
        place = self._place
        caption = self.caption(place.photo) if place.photo else ""
        whole = self._whole
        now = (place, self._comparing, whole, self._at, self._texture, caption, self.legend)
        if now == self._drawn:
            return
        self._drawn = now
        dpg.delete_item("over", children_only=True)
        width, height = place.size
        wanted, here = self._comparing is not None, self._of == place
        self.shows_photo = here and (whole or self._comparing == "split")
        if self.shows_photo:
            self._draw_photo(None if whole else self._at, width, height)
        if place.photo:
            draw_words("over", (px(CORNER[0]), px(CORNER[1])), caption)
        if wanted and not here:
            words = say("over.reading" if place.photo else "over.hint")
            below = px(CORNER[1] + LINE * bool(place.photo))
            draw_words("over", (px(CORNER[0]), below), words)
        if not whole:
            draw_legend("over", self.legend, place.size)

    def _draw_photo(self, upto: float | None, width: int, height: int) -> None:
        """All of it, or as far as the line ``upto`` a share of the width."""
        share = 1.0 if upto is None else upto
        x = share * width
        dpg.draw_image(self._texture, (0, 0), (x, height), parent="over", uv_max=(share, 1))
        if upto is None:
            return
        dpg.draw_line((x, 0), (x, height), parent="over", color=INK, thickness=px(2))
        dpg.draw_circle((x, height / 2), px(KNOB), parent="over", color=INK, fill=theme.ACCENT)
        beside, y = px(CORNER[0]), height - px(LINE)
        draw_words("over", (x - beside, y), say("over.photo"), right=True)
        other = "error" if self.legend.mode == "error" else "rendering"
        draw_words("over", (x + beside, y), say(f"over.{other}"))
