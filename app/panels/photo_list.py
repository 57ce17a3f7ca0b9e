"""The list of photos with their errors, to look through them and to exclude some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px
from app.state import AppState
from app.text.catalog import tr
from app.widgets.widgets import Host, add_button, add_choice, get_choice, set_shown, set_text
from core.protocol import ExcludePhotos, Opened

SIZE = (430, 560)
PAGE_SIZE = 40
"""Photos on a page."""
THUMBNAIL_PX = 56
"""Longer side of a thumbnail, pixels."""
WORST, BY_NAME = "worst", "name"
USED, EXCLUDED, HELD_OUT = "used", "excluded", "held_out"


@dataclass(frozen=True)
class PhotoRow:
    """One photo of the list."""

    number: int
    """Index of its camera."""
    name: str
    status: str
    """`USED`, `EXCLUDED` or `HELD_OUT`."""
    psnr: float | None
    """dB; None if not evaluated yet."""
    sharpness: float | None
    """Relative to the median of all photos; None if unknown."""

    @property
    def text(self) -> str:
        """PSNR, status and sharpness, as far as known."""
        parts = [] if self.psnr is None else [tr("photo_list.psnr", psnr=self.psnr)]
        parts += [tr(f"photo_list.{self.status}")] if self.status != USED else []
        parts += (
            [] if self.sharpness is None else [tr("photo_list.sharpness", sharpness=self.sharpness)]
        )
        return ", ".join(parts)


def photo_rows(state: AppState, order: str = WORST) -> list[PhotoRow]:
    """Return all photos of the scene.

    Args:
        state: What the window knows.
        order: `BY_NAME`, or `WORST`: by PSNR, then those not evaluated yet, excluded ones last.
    """
    opened = state.opened
    if opened is None:
        return []
    sharp = {p.name: p.sharpness for p in state.poses.photos} if state.poses else {}
    found = [_photo_row(state, opened, i, sharp.get(name)) for i, name in enumerate(opened.names)]
    if order == BY_NAME:
        return found
    return sorted(
        found, key=lambda s: (s.status == EXCLUDED, s.psnr is None, s.psnr or 0.0, s.number)
    )


def _photo_row(state: AppState, opened: Opened, number: int, sharpness: float | None) -> PhotoRow:
    name = opened.names[number]
    held_out = number >= len(opened.names) - opened.n_held_out
    status = HELD_OUT if held_out else EXCLUDED if name in state.excluded else USED
    psnr = state.scores[name][0] if name in state.scores else None
    return PhotoRow(number, name, status, psnr, sharpness)


def photo_caption(state: AppState, name: str) -> str:
    """Return name, PSNR and status of the photo ``name``; "" if it is not of the scene."""
    opened = state.opened
    if opened is None or name not in opened.names:
        return ""
    row = _photo_row(state, opened, opened.names.index(name), None)
    return ", ".join(filter(None, (row.name, row.text)))


class PhotoListPanel:
    """A window with pages of photos."""

    def __init__(self, host: Host, look_through: Callable[[str], None]) -> None:
        """Build the widgets; ``look_through`` gets the name of a photo that was clicked."""
        self._host, self._look_through = host, look_through
        self._shown: list[PhotoRow] = []
        self._last_drawn: object = None
        self._state: AppState | None = None
        self._page = 0
        self._textures: list[int | str] = []
        self._images = np.zeros((0, 1, 1, 3), np.uint8)
        with dpg.window(
            tag="photo_list",
            width=px(SIZE[0]),
            height=px(SIZE[1]),
            pos=(40, 60),
            show=False,
            no_collapse=True,
        ):
            dpg.add_text("", tag="photo_list_summary", wrap=SIZE[0] - 30)
            with dpg.group(horizontal=True):
                add_choice("photo_order", lambda: self._turn_page(-self._page), width=130)
                add_button("photo_page_back", lambda: self._turn_page(-1), label="<", width=32)
                dpg.add_text("", tag="photo_page")
                add_button("photo_page_next", lambda: self._turn_page(1), label=">", width=32)
            with dpg.child_window(tag="photo_rows"):
                for row in range(PAGE_SIZE):
                    self._build_row(row)
        dpg.bind_item_theme("photo_list", "padded_window")

    def _build_row(self, row: int) -> None:
        blank = dpg.add_static_texture(1, 1, [0.3, 0.3, 0.3, 1.0], parent="photo_textures")
        with dpg.group(tag=f"photo_row_{row}", horizontal=True, show=False):
            dpg.add_image_button(
                blank,
                tag=f"photo_row_image_{row}",
                width=THUMBNAIL_PX,
                height=THUMBNAIL_PX,
                callback=lambda: self._on_thumbnail_clicked(row),
                frame_padding=0,
            )
            with dpg.group():
                dpg.add_text("", tag=f"photo_row_name_{row}")
                with dpg.group(horizontal=True):
                    dpg.add_checkbox(
                        tag=f"photo_row_used_{row}",
                        label=tr("photo_list.use"),
                        callback=lambda: self._on_use_toggled(row),
                    )
                    dpg.add_text("", tag=f"photo_row_text_{row}", color=theme.TEXT_DIM)

    def toggle_window(self) -> None:
        """Show or hide the window."""
        dpg.configure_item("photo_list", show=not dpg.is_item_shown("photo_list"))
        if self._state is not None:
            self.draw_panel(self._state, self._images)

    def _turn_page(self, by: int) -> None:
        self._page += by
        assert self._state is not None
        self.draw_panel(self._state, self._images)

    def _on_thumbnail_clicked(self, row: int) -> None:
        self._look_through(self._shown[row].name)

    def _on_use_toggled(self, row: int) -> None:
        name, used = self._shown[row].name, dpg.get_value(f"photo_row_used_{row}")
        dpg.set_value(f"photo_row_used_{row}", not used)  # until the worker says so
        self._host.send(ExcludePhotos((name,), not used))

    def draw_panel(self, state: AppState, images: np.ndarray) -> None:
        """Show what ``state`` holds, with thumbnails ``images`` uint8 [N, h, w, 3]."""
        new_images = images is not self._images
        self._state, self._images = state, images
        if not dpg.is_item_shown("photo_list"):
            return
        ordered = photo_rows(state, get_choice("photo_order"))
        n_pages = max(1, -(-len(ordered) // PAGE_SIZE))
        self._page = min(max(self._page, 0), n_pages - 1)
        shown = ordered[self._page * PAGE_SIZE : (self._page + 1) * PAGE_SIZE]
        reason = state.reason("exclude_photos")
        if (shown, reason, n_pages) == self._last_drawn and not new_images:
            return
        self._last_drawn = shown, reason, n_pages
        numbers = [row.number for row in shown]
        if new_images or numbers != [row.number for row in self._shown]:
            self._show_images(numbers)
        self._shown = shown
        dpg.set_value("photo_list_summary", _summary(ordered))
        page = tr("photo_list.page", page=self._page + 1, n_pages=n_pages)
        set_text("photo_page", page if n_pages > 1 else "")
        for tag in ("photo_page_back", "photo_page_next"):
            set_shown(tag, n_pages > 1)
        for row in range(PAGE_SIZE):
            dpg.configure_item(f"photo_row_{row}", show=row < len(shown))
        for i, row in enumerate(shown):
            dpg.set_value(f"photo_row_name_{i}", row.name)
            dpg.set_value(f"photo_row_text_{i}", row.text)
            dpg.set_value(f"photo_row_used_{i}", row.status == USED)
            usable = row.status != HELD_OUT and not reason
            dpg.configure_item(f"photo_row_used_{i}", enabled=usable)

    def _show_images(self, numbers: list[int]) -> None:
        old, self._textures = self._textures, []
        height, width = self._images.shape[1:3]
        scale = THUMBNAIL_PX / max(height, width)
        for row, number in enumerate(numbers):
            rgba = np.ones((height, width, 4), np.float32)
            rgba[..., :3] = self._images[number] / np.float32(255)
            texture = dpg.add_static_texture(
                width,
                height,
                rgba.ravel(),
                parent="photo_textures",  # type: ignore[arg-type]
            )
            self._textures.append(texture)
            dpg.configure_item(
                f"photo_row_image_{row}",
                texture_tag=texture,
                width=round(width * scale),
                height=round(height * scale),
            )
        for texture in old:
            dpg.delete_item(texture)


def _summary(ordered: list[PhotoRow]) -> str:
    if not ordered:
        return tr("status.empty")
    counts = {s: sum(row.status == s for row in ordered) for s in (USED, EXCLUDED, HELD_OUT)}
    parts = [
        tr("photo_list.count", n, status=tr(f"photo_list.{s}")) for s, n in counts.items() if n
    ]
    words = ", ".join(parts)
    known = [row.psnr for row in ordered if row.psnr is not None]
    if known:
        words += tr("photo_list.measured", len(known), psnr=np.mean(known))
    return words + tr("photo_list.click")
