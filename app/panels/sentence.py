"""A sentence to begin with, instead of photos, and the network that judges pictures by it."""

from __future__ import annotations

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px
from app.store.json_file import read, write
from app.text.catalog import words
from app.widgets.widgets import Host, button, show_text
from core.base.errors import UserError
from core.base.paths import weights_file
from core.config.prompt import write_prompt

WIDTH = 520


class SentencePanel:
    """A window of its own, opened from the menu of what can be opened."""

    def __init__(self, host: Host) -> None:
        self._host = host
        with dpg.window(
            tag="imagine",
            width=px(WIDTH),
            autosize=True,
            pos=(80, 120),
            show=False,
            no_collapse=True,
        ):
            dpg.add_input_text(tag="sentence", width=WIDTH - 30)
            with dpg.group(horizontal=True):
                dpg.add_input_text(
                    tag="weights", width=WIDTH - 140, default_value=read(weights_file(), str) or ""
                )
                button("weights_browse", self._browse, width=100)
            dpg.add_text("", tag="imagine_words", color=theme.TEXT_DIM, wrap=WIDTH - 30)
            dpg.add_text(
                "", tag="imagine_failure", color=theme.PLOT_LOSS, wrap=WIDTH - 30, show=False
            )
            button("imagine_begin", self._begin)
        dpg.bind_item_theme("imagine", "padded_window")
        dpg.bind_item_theme("imagine_begin", "primary")

    def show(self) -> None:
        """Ask for both."""
        show_text("imagine_failure", "")
        dpg.configure_item("imagine", show=True)
        dpg.focus_item("sentence")

    def _browse(self) -> None:
        self._host.pick(
            "folder", dpg.get_value("weights"), lambda path: dpg.set_value("weights", path)
        )

    def _begin(self) -> None:
        weights = dpg.get_value("weights")
        try:
            file = write_prompt(dpg.get_value("sentence"), weights)
        except UserError as error:
            show_text("imagine_failure", words(error.text))
            return
        write(weights_file(), weights)
        dpg.configure_item("imagine", show=False)
        self._host.open(str(file))
