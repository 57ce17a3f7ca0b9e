"""Small pieces that every panel uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from app import theme
from app.dialogs import Kind, Purpose
from app.gui import dpg
from core.messages import Command

Tag = int | str
BUTTON = 90


class Host(Protocol):
    """What panels may ask of the window."""

    def send(self, command: Command) -> None: ...
    def open(self, path: str, group: int = 0, photos: str = "") -> None: ...
    def pick(self, purpose: Purpose, start: str, then: Callable[[str], None]) -> None: ...
    def choose(self, what: Kind) -> None: ...
    def new(self) -> None: ...
    def save(self) -> None: ...
    def save_as(self) -> None: ...
    def find_photos(self) -> None: ...


@contextmanager
def section(title: str, tag: str, is_open: bool = True) -> Iterator[None]:
    """A titled part of the side panel that can be folded."""
    with dpg.collapsing_header(label=title, default_open=is_open, tag=tag):
        yield
    dpg.bind_item_font(tag, "font_bold")
    for child in dpg.get_item_children(tag, 1) or []:
        dpg.bind_item_font(child, "font_regular")


def button(
    label: str, tag: str, callback: Callable[[], None], words: str = "", **options: object
) -> Tag:
    """A button whose tooltip (hidden while empty) says what it does, in ``words``, or why it is
    disabled; see `enable`."""
    item = dpg.add_button(label=label, tag=tag, callback=lambda: callback(), **options)
    with dpg.tooltip(item, tag=f"{tag}_tooltip", show=bool(words)):
        dpg.add_text(words, tag=f"{tag}_reason", wrap=260, user_data=words)
    return item


def explain(tag: Tag, words: str) -> None:
    """A tooltip in plain words for the widget ``tag``."""
    with dpg.tooltip(tag):
        dpg.add_text(words, wrap=260)


def enable(tag: str, reason: str) -> None:
    """Enable the button ``tag``, or disable it and show ``reason`` when hovered."""
    told = reason or dpg.get_item_user_data(f"{tag}_reason") or ""
    dpg.configure_item(tag, enabled=not reason)
    dpg.configure_item(f"{tag}_tooltip", show=bool(told))
    dpg.set_value(f"{tag}_reason", told)


def dim_text(tag: str, text: str = "", **options: object) -> Tag:
    return dpg.add_text(text, tag=tag, color=theme.TEXT_DIM, wrap=theme.PANEL_WIDTH - 40, **options)


def show_text(tag: str, text: str) -> None:
    """Set a text and hide it while empty, so that it takes no room."""
    dpg.set_value(tag, text)
    dpg.configure_item(tag, show=bool(text))
