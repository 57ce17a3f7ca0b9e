"""The dialog for a text prompt, and the CLIP model that scores images by it."""

from __future__ import annotations

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px
from app.store.json_file import read_json, write_json
from app.text.catalog import localize
from app.widgets.widgets import Host, add_button, set_text
from core.base.errors import UserError
from core.base.paths import weights_file
from core.config.prompt import write_prompt

WIDTH = 520


class PromptPanel:
    """A window opened from the start page and the menu."""

    def __init__(self, host: Host) -> None:
        self._host = host
        with dpg.window(
            tag="prompt_window",
            width=px(WIDTH),
            autosize=True,
            pos=(80, 120),
            show=False,
            no_collapse=True,
        ):
            dpg.add_input_text(tag="prompt", width=WIDTH - 30)
            with dpg.group(horizontal=True):
                dpg.add_input_text(
                    tag="clip_folder",
                    width=WIDTH - 140,
                    default_value=read_json(weights_file(), str) or "",
                )
                add_button("clip_browse", self._browse, width=100)
            dpg.add_text("", tag="prompt_note", color=theme.TEXT_DIM, wrap=WIDTH - 30)
            dpg.add_text(
                "", tag="prompt_failure", color=theme.PLOT_LOSS, wrap=WIDTH - 30, show=False
            )
            add_button("prompt_create", self._begin)
        dpg.bind_item_theme("prompt_window", "padded_window")
        dpg.bind_item_theme("prompt_create", "primary")

    def show_window(self) -> None:
        """Show the dialog."""
        set_text("prompt_failure", "")
        dpg.configure_item("prompt_window", show=True)
        dpg.focus_item("prompt")

    def _browse(self) -> None:
        self._host.pick_path(
            "folder", dpg.get_value("clip_folder"), lambda path: dpg.set_value("clip_folder", path)
        )

    def _begin(self) -> None:
        weights = dpg.get_value("clip_folder")
        try:
            file = write_prompt(dpg.get_value("prompt"), weights)
        except UserError as error:
            set_text("prompt_failure", localize(error.text))
            return
        write_json(weights_file(), weights)
        dpg.configure_item("prompt_window", show=False)
        self._host.open_path(str(file))
