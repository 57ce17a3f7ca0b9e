"""What is open: a path to type or pick, and what was found there."""

from __future__ import annotations

from collections.abc import Callable

from app import theme
from app.platform.dialogs import Purpose
from app.platform.gui import dpg
from app.platform.scaling import px
from app.state import AppState
from app.text.catalog import say, words
from app.text.status import count
from app.widgets.widgets import (
    BUTTON,
    Host,
    button,
    dim_text,
    enable,
    reveal,
    section,
    show_text,
)


class SourcePanel:
    """``show_poses`` opens what was found out about the photos."""

    def __init__(self, host: Host, show_poses: Callable[[], None]) -> None:
        self._host = host
        with section("source"):
            with dpg.group(horizontal=True):
                dpg.add_input_text(
                    tag="path",
                    width=-theme.GAP - 60,
                    on_enter=True,
                    callback=self._open,
                )
                button("open", self._open, width=-1)
            with dpg.group(horizontal=True):
                button("browse", lambda: self._browse("folder"), width=76)
                button("browse_file", lambda: self._browse("file"), width=70)
                dpg.add_checkbox(tag="recursive")
                button("photos", show_poses, width=-1)
            dim_text("source_summary", show=False)

    @property
    def recursive(self) -> bool:
        """Whether photos may lie in subfolders too."""
        return dpg.get_value("recursive")

    def _open(self) -> None:
        self._host.open(dpg.get_value("path"))

    def _browse(self, purpose: Purpose) -> None:
        def picked(path: str) -> None:
            dpg.set_value("path", path)
            self._host.open(path)

        self._host.pick(purpose, dpg.get_value("path"), picked)

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        enable("open", state.reason("open"))
        show_text("source_summary", _summary(state))


def _summary(state: AppState) -> str:
    if state.recognised:
        return "\n".join(state.recognised)
    opened = state.opened
    if opened is None:
        return ""
    if opened.sentence:
        return say("source.sentence", sentence=opened.sentence, device=opened.device)
    parts = [
        say("source.photos", opened.n_photos),
        words(opened.kind),
        say(f"settings_found.{opened.setting}"),
    ]
    if opened.n_held_out:
        parts.append(say("source.held_out", opened.n_held_out))
    if opened.n_points:
        parts.append(say("source.points", count=count(opened.n_points)))
    if opened.has_masks:
        parts.append(say("source.masks"))
    parts.append(say("source.device", device=opened.device))
    return "  ·  ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


class MessageBar:
    """Failures above the viewport, with what can be done; takes no room while there is none."""

    def __init__(self, host: Host, dismiss: Callable[[], None]) -> None:
        self._host = host
        self._offer = ""
        with (
            dpg.child_window(
                tag="message_bar",
                height=44,
                show=False,
                no_scrollbar=True,
                always_use_window_padding=True,
            ),
            dpg.table(header_row=False),
        ):
            dpg.add_table_column(width_stretch=True)
            dpg.add_table_column(width_fixed=True)
            with dpg.table_row():
                dpg.add_text("", tag="message", wrap=0)
                with dpg.group(horizontal=True):
                    button("find_photos", host.find_photos)
                    button("resume", lambda: host.open(self._offer), width=BUTTON)
                    button("dismiss", dismiss, width=BUTTON)
        dpg.bind_item_theme("message_bar", "error_bar")

    def draw(self, state: AppState, width: int) -> int:
        """Show the messages in ``width`` pixels; returns the height taken."""
        text = state.failure
        self._offer = state.offer
        dpg.configure_item("message_bar", show=bool(text))
        if not text:
            return 0
        n_buttons = 1 + bool(state.offer) + 1.5 * bool(state.photos_of)
        buttons = round(n_buttons * (px(BUTTON) + theme.GAP))
        reveal("resume", bool(state.offer))
        reveal("find_photos", bool(state.photos_of))
        dpg.set_value("message", text)
        _, lines = dpg.get_text_size(text, wrap_width=width - buttons - 40) or (0, 0)
        height = max(round(lines), 26) + 24
        dpg.configure_item("message_bar", width=width, height=height)
        return height
