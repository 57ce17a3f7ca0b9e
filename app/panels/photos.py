"""All photos, the worst explained first: go to one, leave it out of training, take it in again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px
from app.state import AppState
from app.text.catalog import say
from app.widgets.widgets import Host, button, choice, chosen, reveal, show_text
from core.protocol import ExcludePhotos, Opened

SIZE = (430, 560)
PAGE = 40
"""Photos shown at a time."""
THUMB = 56
"""Pixels of a small picture, along its longer side."""
WORST, BY_NAME = "worst", "name"
USED, EXCLUDED, HELD_OUT = "used", "excluded", "held_out"


@dataclass(frozen=True)
class Shot:
    """One photo: ``number`` among the cameras, ``psnr`` in dB and ``sharpness`` beside the usual
    one, None while unknown."""

    number: int
    name: str
    status: str
    psnr: float | None
    sharpness: float | None

    @property
    def words(self) -> str:
        told = [] if self.psnr is None else [say("album.psnr", psnr=self.psnr)]
        told += [say(f"album.{self.status}")] if self.status != USED else []
        told += [] if self.sharpness is None else [say("album.sharpness", sharpness=self.sharpness)]
        return ", ".join(told)


def shots(state: AppState, order: str = WORST) -> list[Shot]:
    """All photos of what is open. The worst explained come first, those not measured yet after
    them, the excluded last."""
    opened = state.opened
    if opened is None:
        return []
    sharp = {p.name: p.sharpness for p in state.poses.photos} if state.poses else {}
    found = [_shot(state, opened, i, sharp.get(name)) for i, name in enumerate(opened.names)]
    if order == BY_NAME:
        return found
    return sorted(
        found, key=lambda s: (s.status == EXCLUDED, s.psnr is None, s.psnr or 0.0, s.number)
    )


def _shot(state: AppState, opened: Opened, number: int, sharpness: float | None) -> Shot:
    name = opened.names[number]
    held_out = number >= len(opened.names) - opened.n_held_out
    status = HELD_OUT if held_out else EXCLUDED if name in state.excluded else USED
    psnr = state.scores[name][0] if name in state.scores else None
    return Shot(number, name, status, psnr, sharpness)


def caption(state: AppState, name: str) -> str:
    """Of the photo ``name``: what is known of it."""
    opened = state.opened
    if opened is None or name not in opened.names:
        return ""
    shot = _shot(state, opened, opened.names.index(name), None)
    return ", ".join(filter(None, (shot.name, shot.words)))


class PhotosPanel:
    """A window of its own. ``look`` goes to the place of a photo, by its name."""

    def __init__(self, host: Host, look: Callable[[str], None]) -> None:
        self._host, self._look = host, look
        self._shown: list[Shot] = []
        self._drawn: object = None
        self._state: AppState | None = None
        self._page = 0
        self._textures: list[int | str] = []
        self._pictures = np.zeros((0, 1, 1, 3), np.uint8)
        with dpg.window(
            tag="album",
            width=px(SIZE[0]),
            height=px(SIZE[1]),
            pos=(40, 60),
            show=False,
            no_collapse=True,
        ):
            dpg.add_text("", tag="album_summary", wrap=SIZE[0] - 30)
            with dpg.group(horizontal=True):
                choice("album_order", lambda: self._turn(-self._page), width=130)
                button("album_back", lambda: self._turn(-1), label="<", width=32)
                dpg.add_text("", tag="album_page")
                button("album_on", lambda: self._turn(1), label=">", width=32)
            with dpg.child_window(tag="album_rows"):
                for row in range(PAGE):
                    self._build_row(row)
        dpg.bind_item_theme("album", "padded_window")

    def _build_row(self, row: int) -> None:
        blank = dpg.add_static_texture(1, 1, [0.3, 0.3, 0.3, 1.0], parent="photo_textures")
        with dpg.group(tag=f"shot_{row}", horizontal=True, show=False):
            dpg.add_image_button(
                blank,
                tag=f"shot_picture_{row}",
                width=THUMB,
                height=THUMB,
                callback=lambda: self._go(row),
                frame_padding=0,
            )
            with dpg.group():
                dpg.add_text("", tag=f"shot_name_{row}")
                with dpg.group(horizontal=True):
                    dpg.add_checkbox(
                        tag=f"shot_used_{row}",
                        label=say("album.use"),
                        callback=lambda: self._use(row),
                    )
                    dpg.add_text("", tag=f"shot_words_{row}", color=theme.TEXT_DIM)

    def toggle(self) -> None:
        """Show or hide the window."""
        dpg.configure_item("album", show=not dpg.is_item_shown("album"))
        if self._state is not None:
            self.draw(self._state, self._pictures)

    def _turn(self, by: int) -> None:
        self._page += by
        assert self._state is not None
        self.draw(self._state, self._pictures)

    def _go(self, row: int) -> None:
        self._look(self._shown[row].name)

    def _use(self, row: int) -> None:
        name, used = self._shown[row].name, dpg.get_value(f"shot_used_{row}")
        dpg.set_value(f"shot_used_{row}", not used)  # until the worker says so
        self._host.send(ExcludePhotos((name,), not used))

    def draw(self, state: AppState, pictures: np.ndarray) -> None:
        """Show what ``state`` holds; ``pictures`` as in `Thumbnails`."""
        fresh = pictures is not self._pictures
        self._state, self._pictures = state, pictures
        if not dpg.is_item_shown("album"):
            return
        ordered = shots(state, chosen("album_order"))
        n_pages = max(1, -(-len(ordered) // PAGE))
        self._page = min(max(self._page, 0), n_pages - 1)
        shown = ordered[self._page * PAGE : (self._page + 1) * PAGE]
        reason = state.reason("exclude_photos")
        if (shown, reason, n_pages) == self._drawn and not fresh:
            return
        self._drawn = shown, reason, n_pages
        numbers = [shot.number for shot in shown]
        if fresh or numbers != [shot.number for shot in self._shown]:
            self._show_pictures(numbers)
        self._shown = shown
        dpg.set_value("album_summary", _summary(ordered))
        page = say("album.page", page=self._page + 1, n_pages=n_pages)
        show_text("album_page", page if n_pages > 1 else "")
        for tag in ("album_back", "album_on"):
            reveal(tag, n_pages > 1)
        for row in range(PAGE):
            dpg.configure_item(f"shot_{row}", show=row < len(shown))
        for row, shot in enumerate(shown):
            dpg.set_value(f"shot_name_{row}", shot.name)
            dpg.set_value(f"shot_words_{row}", shot.words)
            dpg.set_value(f"shot_used_{row}", shot.status == USED)
            usable = shot.status != HELD_OUT and not reason
            dpg.configure_item(f"shot_used_{row}", enabled=usable)

    def _show_pictures(self, numbers: list[int]) -> None:
        old, self._textures = self._textures, []
        height, width = self._pictures.shape[1:3]
        scale = THUMB / max(height, width)
        for row, number in enumerate(numbers):
            rgba = np.ones((height, width, 4), np.float32)
            rgba[..., :3] = self._pictures[number] / np.float32(255)
            texture = dpg.add_static_texture(
                width,
                height,
                rgba.ravel(),
                parent="photo_textures",  # type: ignore[arg-type]
            )
            self._textures.append(texture)
            dpg.configure_item(
                f"shot_picture_{row}",
                texture_tag=texture,
                width=round(width * scale),
                height=round(height * scale),
            )
        for texture in old:
            dpg.delete_item(texture)


def _summary(ordered: list[Shot]) -> str:
    if not ordered:
        return say("status.empty")
    counts = {s: sum(shot.status == s for shot in ordered) for s in (USED, EXCLUDED, HELD_OUT)}
    told = [say("album.count", n, status=say(f"album.{s}")) for s, n in counts.items() if n]
    words = ", ".join(told)
    known = [shot.psnr for shot in ordered if shot.psnr is not None]
    if known:
        words += say("album.measured", len(known), psnr=np.mean(known))
    return words + say("album.click")
