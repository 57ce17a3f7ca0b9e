"""The row above the viewport: the project, undo and redo, the log and the settings."""

from __future__ import annotations

from collections.abc import Callable

from app.platform.gui import dpg
from app.platform.scaling import px
from app.state import AppState
from app.text.catalog import names, say
from app.widgets.widgets import Host, bar_height, button, enable, reveal, tell
from core.protocol import Action, Redo, Undo

NARROW = 590
"""Below this width Save as… is left to its key."""


class Toolbar:
    def __init__(
        self, host: Host, toggle_log: Callable[[], None], toggle_settings: Callable[[], None]
    ) -> None:
        with (
            dpg.child_window(
                tag="toolbar",
                no_scrollbar=True,
                always_use_window_padding=True,
            ),
            dpg.group(horizontal=True),
        ):
            button("new", host.new)
            button("toolbar_open", lambda: None)
            with dpg.popup("toolbar_open", dpg.mvMouseButton_Left, tag="open_menu"):
                for what, label in names("menu").items():
                    dpg.add_menu_item(
                        label=label, callback=lambda _s, _a, what: host.choose(what), user_data=what
                    )
            button("save", host.save)
            button("save_as", host.save_as)
            button("undo", lambda: host.send(Undo()))
            button("redo", lambda: host.send(Redo()))
            button("show_log", toggle_log)
            button("show_settings", toggle_settings)
        dpg.bind_item_theme("toolbar", "padded")

    def resize(self, width: int) -> None:
        dpg.configure_item("toolbar", width=width, height=bar_height())
        reveal("save_as", width > px(NARROW))

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        enable("new", state.reason("close"))
        enable("toolbar_open", state.reason("open"))
        for tag in ("save", "save_as"):
            enable(tag, state.reason("save"))
        names: dict[Action, str] = {"undo": state.undo, "redo": state.redo}
        for tag, words in names.items():
            enable(tag, state.reason(tag))
            if state.may(tag):
                tell(tag, say(f"toolbar.{tag}", what=words))
        if state.may("save"):
            saved = state.project and not state.unsaved
            where = state.project or say("toolbar.a_folder")
            tell("save", say("toolbar.all_saved" if saved else "toolbar.save", where=where))
