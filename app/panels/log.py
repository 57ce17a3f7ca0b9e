"""The log window: messages since the start."""

from __future__ import annotations

import time
from collections import deque

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px
from app.text.catalog import tr
from app.widgets.widgets import add_button
from core.engine.worker import log_path

MAX_LINES = 300


class LogPanel:
    """A window with the latest messages."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        with dpg.window(
            tag="log",
            width=px(780),
            height=px(360),
            pos=(80, 80),
            show=False,
            no_collapse=True,
        ):
            with dpg.group(horizontal=True):
                add_button("log_copy", self._copy)
                dpg.add_text(tr("messages.log_file", path=log_path()), color=theme.TEXT_DIM)
            with dpg.child_window(tag="log_lines_window"):
                dpg.add_text("", tag="log_lines", wrap=0)
        dpg.bind_item_theme("log", "padded_window")

    def add(self, text: str) -> None:
        """Add a line with the time; a repetition of the last line is skipped."""
        if self._lines and self._lines[-1].endswith(f"  {text}"):
            return
        self._lines.append(f"{time.strftime('%H:%M:%S')}  {text}")
        dpg.set_value("log_lines", "\n".join(reversed(self._lines)))

    def toggle_window(self) -> None:
        """Show or hide the window."""
        dpg.configure_item("log", show=not dpg.is_item_shown("log"))

    def _copy(self) -> None:
        dpg.set_clipboard_text("\n".join(self._lines))
