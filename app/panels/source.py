"""What is open: a path to type or choose, and what was found there; messages."""

from __future__ import annotations

from collections.abc import Callable

from app import theme
from app.platform.dialogs import DialogPurpose
from app.platform.gui import dpg
from app.platform.scaling import px
from app.state import AppState
from app.text.catalog import localize, tr
from app.text.status import format_count
from app.widgets.widgets import (
    BUTTON_WIDTH,
    Host,
    add_button,
    add_dim_text,
    section,
    set_enabled,
    set_shown,
    set_text,
)


class SourcePanel:
    """The path, and a summary of the scene."""

    def __init__(self, host: Host, show_poses: Callable[[], None]) -> None:
        """Build the widgets; ``show_poses`` opens the report of the poses."""
        self._host = host
        with section("source"):
            with dpg.group(horizontal=True):
                dpg.add_input_text(
                    tag="path",
                    width=-theme.GAP - 60,
                    on_enter=True,
                    callback=self._open,
                )
                add_button("open", self._open, width=-1)
            with dpg.group(horizontal=True):
                add_button("browse", lambda: self._browse("folder"), width=76)
                add_button("browse_file", lambda: self._browse("file"), width=70)
                dpg.add_checkbox(tag="recursive")
                add_button("open_poses", show_poses, width=-1)
            add_dim_text("source_summary", show=False)

    @property
    def recursive(self) -> bool:
        """Whether photos in subfolders are included."""
        return dpg.get_value("recursive")

    def _open(self) -> None:
        self._host.open_path(dpg.get_value("path"))

    def _browse(self, purpose: DialogPurpose) -> None:
        def picked(path: str) -> None:
            dpg.set_value("path", path)
            self._host.open_path(path)

        self._host.pick_path(purpose, dpg.get_value("path"), picked)

    def draw_panel(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        set_enabled("open", state.reason("open"))
        set_text("source_summary", _summary(state))


def _summary(state: AppState) -> str:
    if state.detected:
        return "\n".join(state.detected)
    opened = state.opened
    if opened is None:
        return ""
    if opened.prompt:
        return tr("source.prompt", prompt=opened.prompt, device=opened.device)
    parts = [
        tr("source.photos", opened.n_photos),
        localize(opened.kind),
        tr(f"capture_kind.{opened.setting}"),
    ]
    if opened.n_held_out:
        parts.append(tr("source.held_out", opened.n_held_out))
    if opened.n_points:
        parts.append(tr("source.points", count=format_count(opened.n_points)))
    if opened.has_masks:
        parts.append(tr("source.masks"))
    parts.append(tr("source.device", device=opened.device))
    return "  ·  ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


class MessageBar:
    """Failures above the viewport, with buttons to fix them; hidden while there are none."""

    def __init__(self, host: Host, dismiss: Callable[[], None]) -> None:
        self._host = host
        self._resume_path = ""
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
                    add_button("locate_photos", host.locate_photos)
                    add_button(
                        "resume", lambda: host.open_path(self._resume_path), width=BUTTON_WIDTH
                    )
                    add_button("dismiss", dismiss, width=BUTTON_WIDTH)
        dpg.bind_item_theme("message_bar", "error_bar")

    def draw_message(self, state: AppState, width: int) -> int:
        """Show the failure in ``width`` pixels; returns the height taken, pixels."""
        text = state.failure
        self._resume_path = state.resume_path
        dpg.configure_item("message_bar", show=bool(text))
        if not text:
            return 0
        n_buttons = 1 + bool(state.resume_path) + 1.5 * bool(state.project_without_photos)
        buttons = round(n_buttons * (px(BUTTON_WIDTH) + theme.GAP))
        set_shown("resume", bool(state.resume_path))
        set_shown("locate_photos", bool(state.project_without_photos))
        dpg.set_value("message", text)
        _, lines = dpg.get_text_size(text, wrap_width=width - buttons - 40) or (0, 0)
        height = max(round(lines), 26) + 24
        dpg.configure_item("message_bar", width=width, height=height)
        return height
