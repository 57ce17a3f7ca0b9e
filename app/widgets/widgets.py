"""Small widgets that every panel uses."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol

from app import theme
from app.platform.dialogs import DialogPurpose, InputKind
from app.platform.gui import dpg
from app.platform.scaling import px
from app.text.catalog import tr_group, widget_texts
from core.protocol import Command

Tag = int | str
BUTTON_WIDTH, TIP_WIDTH = 90, 260
"""Pixels before scaling."""


class Host(Protocol):
    """What panels may ask of the window."""

    def send(self, command: Command) -> None:
        """Hand ``command`` to the worker."""

    def open_path(self, path: str, group: int = 0, photos: str = "") -> None:
        """Open what lies at ``path``; see `OpenOptions`."""

    def pick_path(self, purpose: DialogPurpose, start: str, then: Callable[[str], None]) -> None:
        """Show a file dialog; ``then`` gets the path."""

    def browse_input(self, what: InputKind) -> None:
        """Show the dialog to choose what to open."""

    def new_scene(self) -> None:
        """Close the scene."""

    def save_project(self) -> None:
        """Save the project."""

    def save_project_as(self) -> None:
        """Save the project to a folder that is chosen."""

    def locate_photos(self) -> None:
        """Choose where the photos of a project are now."""


@contextmanager
def section(tag: str) -> Generator[None]:
    """Build a foldable section of the side panel."""
    with dpg.collapsing_header(tag=tag, default_open=True):
        yield
    dpg.bind_item_font(tag, "font_bold")
    children: list[int] = dpg.get_item_children(tag, 1)
    for child in children:
        dpg.bind_item_font(child, "font_regular")


def add_button(tag: str, callback: Callable[[], None], **options: object) -> Tag:
    """Add a button with a tip, which says why it is disabled if it is; see `set_enabled`."""
    item = dpg.add_button(tag=tag, callback=lambda: callback(), **options)
    with dpg.tooltip(item, tag=f"{tag}_tip", show=False):
        dpg.add_text("", tag=f"{tag}_tip_text", wrap=TIP_WIDTH)
    return item


def add_choice(tag: str, callback: Callable[[], None] | None = None, **options: object) -> Tag:
    """Add a combo box of the choices of ``tag`` in en.toml; see `get_choice`."""
    names = tr_group(f"choices.{tag}")
    text = list(names.values())
    return dpg.add_combo(
        text,
        tag=tag,
        user_data=names,
        default_value=text[0] if text else "",
        callback=callback,
        **options,
    )


def get_choice(tag: str) -> str:
    """Return the key of the chosen item; "" if there is none."""
    text = dpg.get_value(tag)
    return next((thing for thing, w in dpg.get_item_user_data(tag).items() if w == text), "")


def set_choice(tag: str, thing: object) -> None:
    """Choose the item of key ``thing``."""
    dpg.set_value(tag, dpg.get_item_user_data(tag)[str(thing)])


def set_choices(tag: str, names: dict[str, str]) -> None:
    """Offer other items: their texts by key."""
    dpg.configure_item(tag, items=list(names.values()), user_data=names)


def apply_texts() -> None:
    """Give all widgets the texts of their tags in en.toml."""
    for tag, texts in widget_texts().items():
        if not dpg.does_item_exist(tag):
            continue
        shown = {part: texts[part] for part in ("label", "start_page", "format") if part in texts}
        if shown:
            dpg.configure_item(tag, **shown)
        if "text" in texts:
            dpg.set_value(tag, texts["text"])
        if "tip" in texts:
            set_tip(tag, texts["tip"])


def set_tip(tag: str, text: str) -> None:
    """Set the tip of the widget ``tag``."""
    if dpg.does_item_exist(f"{tag}_tip_text"):
        dpg.set_item_user_data(f"{tag}_tip_text", text)
        set_enabled(tag, "")
        return
    with dpg.tooltip(tag, tag=f"{tag}_tip") as tooltip:
        dpg.add_text(text, tag=f"{tag}_tip_text", wrap=TIP_WIDTH)
    dpg.bind_item_font(tooltip, "font_regular")  # that of a section's title is bold


def set_enabled(tag: str, reason: str) -> None:
    """Enable the button ``tag``, or disable it with ``reason`` as its tip."""
    dpg.configure_item(tag, enabled=not reason)
    show_tip(tag, reason or dpg.get_item_user_data(f"{tag}_tip_text") or "")


def show_tip(tag: str, text: str) -> None:
    """Show ``text`` as the tip of the widget for now; without text there is none."""
    dpg.set_value(f"{tag}_tip_text", text)
    dpg.configure_item(f"{tag}_tip", show=bool(text) and dpg.is_item_shown(tag))


def set_shown(tag: str, shown: bool) -> None:
    """Show or hide the widget ``tag`` with its tip, which would cover its neighbour."""
    dpg.configure_item(tag, show=shown)
    show_tip(tag, dpg.get_value(f"{tag}_tip_text"))


def add_dim_text(tag: str, text: str = "", **options: object) -> Tag:
    """Add a wrapped text in a weaker colour."""
    return dpg.add_text(text, tag=tag, color=theme.TEXT_DIM, wrap=theme.PANEL_WIDTH - 40, **options)


def set_text(tag: str, text: str) -> None:
    """Set a text; while empty it is hidden and takes no room."""
    dpg.set_value(tag, text)
    dpg.configure_item(tag, show=bool(text))


def bar_height() -> int:
    """Return the height of a row of buttons with its padding, pixels."""
    return px(theme.FONT_SIZE) + 30
