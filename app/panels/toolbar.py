"""The toolbar above the viewport: project, undo and redo, log and settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from app.platform.dialogs import InputKind
from app.platform.gui import dpg
from app.platform.scaling import px
from app.state import AppState
from app.text.catalog import tr
from app.widgets.widgets import Host, add_button, bar_height, set_enabled, set_shown, show_tip
from core.protocol import Action, Redo, Undo

MIN_SAVE_AS_WIDTH = 590
"""Width below which Save as… is hidden, pixels before scaling."""


class Toolbar:
    """A row of buttons."""

    def __init__(
        self, host: Host, toggle_log: Callable[[], None], toggle_settings: Callable[[], None]
    ) -> None:
        def browser(kind: InputKind) -> Callable[[], None]:
            return lambda: host.browse_input(kind)

        with (
            dpg.child_window(
                tag="toolbar",
                no_scrollbar=True,
                always_use_window_padding=True,
            ),
            dpg.group(horizontal=True),
        ):
            add_button("new", host.new_scene)
            add_button("toolbar_open", lambda: None)
            with dpg.popup("toolbar_open", dpg.mvMouseButton_Left, tag="open_menu"):
                kinds: tuple[InputKind, ...] = get_args(InputKind)
                for kind in kinds:
                    dpg.add_menu_item(label=tr(f"menu.{kind}"), callback=browser(kind))
            add_button("save", host.save_project)
            add_button("save_as", host.save_project_as)
            add_button("undo", lambda: host.send(Undo()))
            add_button("redo", lambda: host.send(Redo()))
            add_button("show_log", toggle_log)
            add_button("show_settings", toggle_settings)
        dpg.bind_item_theme("toolbar", "padded")

    def resize(self, width: int) -> None:
        """Fit the toolbar into ``width`` pixels."""
        dpg.configure_item("toolbar", width=width, height=bar_height())
        set_shown("save_as", width > px(MIN_SAVE_AS_WIDTH))

    def draw_panel(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        set_enabled("new", state.reason("close"))
        set_enabled("toolbar_open", state.reason("open"))
        for tag in ("save", "save_as"):
            set_enabled(tag, state.reason("save"))
        names: dict[Action, str] = {"undo": state.undo, "redo": state.redo}
        for tag, words in names.items():
            set_enabled(tag, state.reason(tag))
            if state.may(tag):
                show_tip(tag, tr(f"toolbar.{tag}", what=words))
        if state.may("save"):
            saved = state.project and not state.unsaved
            where = state.project or tr("toolbar.a_folder")
            show_tip("save", tr("toolbar.all_saved" if saved else "toolbar.save", where=where))
