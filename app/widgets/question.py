"""A question in the middle of the window, with a few buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.platform.gui import dpg
from app.platform.scaling import px, rescale
from app.widgets.widgets import add_button

WIDTH = 460
Answer = tuple[str, str, Callable[[], None]]
"""A button's label and tag, and what it does after the question is closed."""


def ask_question(title: str, text: str, answers: Sequence[Answer]) -> None:
    """Show a question, in place of any before; the first answer is highlighted."""
    if dpg.does_item_exist("question"):
        dpg.delete_item("question")
    width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
    with dpg.window(
        tag="question",
        label=title,
        modal=True,
        no_resize=True,
        no_collapse=True,
        no_close=True,
        width=px(WIDTH),
        autosize=True,
        pos=((width - px(WIDTH)) // 2, height // 3),
    ):
        dpg.add_text(text, wrap=WIDTH - 30)
        dpg.add_spacer(height=6)
        with dpg.group(horizontal=True):
            for label, tag, action in answers:
                add_button(tag, lambda action=action: _close_and_run(action), label=label)
    dpg.bind_item_theme("question", "padded_window")
    dpg.bind_item_theme(answers[0][1], "primary")
    rescale("question")


def _close_and_run(action: Callable[[], None]) -> None:
    dpg.delete_item("question")
    action()
