"""How the preview is shown: mode, detail, how often, and the way back to the first view."""

from __future__ import annotations

from collections.abc import Callable

from app.gui import dpg
from app.panels.widgets import button, section
from app.state import AppState
from core.messages import PREVIEW_SHARE, PreviewMode

MODES: dict[str, PreviewMode] = {"Color": "color", "Normals": "normals", "Depth": "depth"}


class ViewPanel:
    """``changed`` is called after mode or level were changed here."""

    def __init__(self, changed: Callable[[], None], reset: Callable[[], None]) -> None:
        self._n_levels = 1
        self._changed = changed
        with section("View", "view"):
            with dpg.group(horizontal=True):
                dpg.add_radio_button(
                    list(MODES), tag="mode", horizontal=True, default_value="Color",
                    callback=changed,
                )
                button("Reset view", "reset_view", reset, width=-1)
            dpg.add_slider_int(
                tag="levels", width=-1, min_value=1, max_value=1, default_value=1,
                callback=self._level_changed, format="Detail: all levels", clamped=True,
            )
            with dpg.tooltip("levels"):
                dpg.add_text(
                    "How many levels of the hash grid the preview and the exported mesh show: "
                    "few are smooth and coarse, all is everything learnt.", wrap=260,
                )

            dpg.add_slider_int(
                tag="share", width=-1, min_value=5, max_value=50, clamped=True, callback=changed,
                default_value=round(100 * PREVIEW_SHARE), format="Preview: %d%% of the time",
            )
            with dpg.tooltip("share"):
                dpg.add_text(
                    "How much of the time training gives up for fresh pictures while the camera "
                    "rests.", wrap=260,
                )

    @property
    def mode(self) -> PreviewMode:
        return MODES[dpg.get_value("mode")]

    def set_mode(self, index: int) -> None:
        """Choose the mode by its place in `MODES`."""
        dpg.set_value("mode", list(MODES)[index])
        self._changed()

    @property
    def levels(self) -> int | None:
        """Levels to show; None for all."""
        value = int(dpg.get_value("levels"))
        return value if value < self._n_levels else None

    @property
    def share(self) -> float:
        """Of the time that pictures may take from training."""
        return dpg.get_value("share") / 100

    def _level_changed(self) -> None:
        self._label()
        self._changed()

    def _label(self) -> None:
        all_shown = self.levels is None
        text = "Detail: all levels" if all_shown else f"Detail: %d of {self._n_levels} levels"
        dpg.configure_item("levels", format=text)

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        n_levels = state.opened.n_levels if state.opened else 1
        if n_levels != self._n_levels:
            self._n_levels = n_levels
            dpg.configure_item("levels", max_value=n_levels)
            dpg.set_value("levels", n_levels)
            self._label()
        dpg.configure_item("levels", enabled=n_levels > 1)
