"""Small pieces that every panel uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from app import theme
from app.platform.dialogs import Kind, Purpose
from app.platform.gui import dpg
from app.platform.scaling import px
from app.text.catalog import names, widgets
from core.protocol import Command

Tag = int | str
BUTTON, TIP = 90, 260


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
def section(tag: str) -> Iterator[None]:
    """A titled part of the side panel that can be folded."""
    with dpg.collapsing_header(tag=tag, default_open=True):
        yield
    dpg.bind_item_font(tag, "font_bold")
    for child in dpg.get_item_children(tag, 1) or []:
        dpg.bind_item_font(child, "font_regular")


def button(tag: str, callback: Callable[[], None], **options: object) -> Tag:
    """A button whose tooltip (hidden while empty) says what it does, or why it is disabled; see
    `enable`."""
    item = dpg.add_button(tag=tag, callback=lambda: callback(), **options)
    with dpg.tooltip(item, tag=f"{tag}_tooltip", show=False):
        dpg.add_text("", tag=f"{tag}_reason", wrap=TIP)
    return item


def choice(tag: str, callback: Callable[[], None] | None = None, **options: object) -> Tag:
    """A combo of the few things that ``tag`` can be, at first the first of them; see `chosen`."""
    of = names(f"choices.{tag}")
    words = list(of.values())
    return dpg.add_combo(
        words,
        tag=tag,
        user_data=of,
        default_value=words[0] if words else "",
        callback=callback,
        **options,
    )


def chosen(tag: str) -> str:
    """Which of its things a `choice` is now; "" while it has none."""
    words = dpg.get_value(tag)
    return next((thing for thing, w in dpg.get_item_user_data(tag).items() if w == words), "")


def choose(tag: str, thing: object) -> None:
    """Let a `choice` be ``thing``."""
    dpg.set_value(tag, dpg.get_item_user_data(tag)[str(thing)])


def offer(tag: str, of: dict[str, str]) -> None:
    """Let a `choice` be among these things, by what they are called."""
    dpg.configure_item(tag, items=list(of.values()), user_data=of)


def dress() -> None:
    """Give the widgets that are there the texts that belong to their tags."""
    for tag, texts in widgets().items():
        if not dpg.does_item_exist(tag):
            continue
        shown = {part: texts[part] for part in ("label", "hint", "format") if part in texts}
        if shown:
            dpg.configure_item(tag, **shown)
        if "text" in texts:
            dpg.set_value(tag, texts["text"])
        if "tip" in texts:
            explain(tag, texts["tip"])


def explain(tag: str, words: str) -> None:
    """A tooltip for the widget ``tag``."""
    if dpg.does_item_exist(f"{tag}_reason"):
        dpg.set_item_user_data(f"{tag}_reason", words)
        enable(tag, "")
        return
    with dpg.tooltip(tag, tag=f"{tag}_tooltip") as tooltip:
        dpg.add_text(words, tag=f"{tag}_reason", wrap=TIP)
    dpg.bind_item_font(tooltip, "font_regular")  # that of a section's title is bold


def enable(tag: str, reason: str) -> None:
    """Enable the button ``tag``, or disable it and show ``reason`` when hovered."""
    dpg.configure_item(tag, enabled=not reason)
    tell(tag, reason or dpg.get_item_user_data(f"{tag}_reason") or "")


def tell(tag: str, words: str) -> None:
    """Let the tooltip of the widget ``tag`` say ``words``; without any, there is none."""
    dpg.set_value(f"{tag}_reason", words)
    dpg.configure_item(f"{tag}_tooltip", show=bool(words) and dpg.is_item_shown(tag))


def reveal(tag: str, shown: bool) -> None:
    """Show the widget ``tag``, or hide it and its tooltip, which would come up over the widget
    before it."""
    dpg.configure_item(tag, show=shown)
    tell(tag, dpg.get_value(f"{tag}_reason"))


def dim_text(tag: str, text: str = "", **options: object) -> Tag:
    return dpg.add_text(text, tag=tag, color=theme.TEXT_DIM, wrap=theme.PANEL_WIDTH - 40, **options)


def show_text(tag: str, text: str) -> None:
    """Set a text and hide it while empty, so that it takes no room."""
    dpg.set_value(tag, text)
    dpg.configure_item(tag, show=bool(text))


def bar_height() -> int:
    """Of a row of buttons with what is around it, which does not grow with the text."""
    return px(theme.FONT_SIZE) + 30
