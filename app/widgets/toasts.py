"""Short messages in the corner of the viewport, which disappear and take no focus."""

from __future__ import annotations

import time

from app.platform.gui import dpg
from app.platform.scaling import px

MAX_TOASTS = 4
SECONDS = 8.0
"""Until a message disappears."""
WIDTH = 340
"""Pixels before scaling."""


class Toasts:
    """A stack of messages."""

    def __init__(self) -> None:
        self._shown: list[tuple[float, str]] = []  # until when, newest last
        self._drawn: tuple[object, ...] = ()
        for i in range(MAX_TOASTS):
            with dpg.child_window(
                tag=f"toast_{i}",
                width=px(WIDTH),
                height=40,
                show=False,
                no_scrollbar=True,
                always_use_window_padding=True,
            ):
                dpg.add_text("", tag=f"toast_{i}_text", wrap=px(WIDTH - 24))
            dpg.bind_item_theme(f"toast_{i}", "toast")

    def add(self, text: str) -> None:
        """Show ``text`` for a while; a repetition stays longer."""
        kept = [toast for toast in self._shown if toast[1] != text]
        self._shown = [*kept, (time.monotonic() + SECONDS, text)][-MAX_TOASTS:]

    def clear(self) -> None:
        """Hide all messages."""
        self._shown = []

    def draw_toasts(self, right: int, bottom: int) -> None:
        """Stack the messages up from the corner ``right``, ``bottom``, pixels."""
        now = time.monotonic()
        self._shown = [toast for toast in self._shown if toast[0] > now]
        drawn = (right, bottom, *(text for _, text in self._shown))
        if drawn == self._drawn:
            return
        self._drawn = drawn
        for i in range(MAX_TOASTS):
            dpg.configure_item(f"toast_{i}", show=i < len(self._shown))
        for i, (_, text) in enumerate(reversed(self._shown)):
            _, lines = dpg.get_text_size(text, wrap_width=px(WIDTH - 24)) or (0, 0)
            height = max(round(lines), px(20)) + 22
            bottom -= height + px(8)
            dpg.set_value(f"toast_{i}_text", text)
            dpg.configure_item(f"toast_{i}", pos=(right - px(WIDTH + 8), bottom), height=height)
