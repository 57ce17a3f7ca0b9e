"""The row above the viewport: the project, undo and redo, the log and the settings."""

from __future__ import annotations

from collections.abc import Callable

from app.gui import dpg
from app.panels.widgets import Host, button, enable
from app.scaling import px
from app.state import AppState
from core.messages import Redo, Undo

HEIGHT = 46
NARROW = 590
"""Below this width Save as… is left to its key."""


class Toolbar:
    def __init__(
        self, host: Host, toggle_log: Callable[[], None], toggle_settings: Callable[[], None]
    ) -> None:
        with dpg.child_window(
            tag="toolbar", height=HEIGHT, no_scrollbar=True, always_use_window_padding=True,
        ), dpg.group(horizontal=True):
            button("New", "new", host.new, "Close what is open and begin anew")
            button("Open", "toolbar_open", lambda: None)
            with dpg.popup("toolbar_open", dpg.mvMouseButton_Left, tag="open_menu"):
                for label, what in (("Photos…", "folder"), ("Film…", "film"),
                                    ("Project…", "project")):
                    dpg.add_menu_item(
                        label=label, callback=lambda _s, _a, what: host.choose(what),
                        user_data=what)
            button("Save", "save", host.save)
            button("Save as…", "save_as", host.save_as, "Save in another folder (Ctrl+Shift+S)")
            button("Undo", "undo", lambda: host.send(Undo()))
            button("Redo", "redo", lambda: host.send(Redo()))
            button("Log", "show_log", toggle_log, "What happened so far")
            button("Settings", "show_settings", toggle_settings, "Light or dark, size of text")
        dpg.bind_item_theme("toolbar", "padded")

    def resize(self, width: int) -> None:
        dpg.configure_item("toolbar", width=width, height=px(HEIGHT))
        dpg.configure_item("save_as", show=width > px(NARROW))

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        enable("new", state.reason("close"))
        enable("toolbar_open", state.reason("open"))
        for tag in ("save", "save_as"):
            enable(tag, state.reason("save"))
        for tag, words in (("undo", state.undo), ("redo", state.redo)):
            enable(tag, state.reason(tag))
            if state.may(tag):
                _tell(tag, f"{tag.capitalize()} {words}")
        if state.may("save"):
            where = state.project or "a folder that you choose"
            _tell("save", f"Save in {where}" if state.unsaved else f"All is saved in {where}"
                  if state.project else f"Save in {where}")


def _tell(tag: str, words: str) -> None:
    dpg.set_value(f"{tag}_reason", words)
    dpg.configure_item(f"{tag}_tooltip", show=True)
