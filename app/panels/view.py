"""How the preview is shown: mode, detail, how often, and the way back to the first view."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import say
from app.viewport.photo_overlay import Comparing
from app.viewport.slicing import AXES, Slice, slice_of
from app.widgets.widgets import button, choice, choose, chosen, reveal, section
from core.geometry.view import PREVIEW_DUTY_CYCLE, PreviewMode
from core.protocol import Arrangement


class ViewPanel:
    """``changed`` is called after anything was changed here; ``compare`` compares with the photo
    that is looked through, or no longer; ``album`` shows the list of photos."""

    def __init__(
        self,
        changed: Callable[[], None],
        reset: Callable[[], None],
        *,
        compare: Callable[[Comparing], None],
        album: Callable[[], None],
    ) -> None:
        self._n_levels = 1
        self._changed = changed
        self._before: PreviewMode = "color"
        self._arranged: Arrangement | None = None
        with section("view"):
            with dpg.group(horizontal=True):
                choice("mode", lambda: self.set_mode(self.mode), width=200)
                button("reset_view", reset, width=-1)
            with dpg.group(tag="slice", horizontal=True, show=False):
                dpg.add_combo(
                    AXES, tag="slice_axis", default_value=AXES[2], width=60, callback=changed
                )
                dpg.add_slider_float(
                    tag="slice_share",
                    width=-1,
                    min_value=0,
                    max_value=100,
                    default_value=50,
                    callback=changed,
                    clamped=True,
                )
            with dpg.group(horizontal=True):
                button("show_photo", lambda: compare("photo"), width=64)
                button("compare", lambda: compare("split"), width=82)
                button("blink", lambda: compare("blink"), width=58)
                button("album_open", album, width=-1)
            dpg.add_slider_int(
                tag="levels",
                width=-1,
                min_value=1,
                max_value=1,
                default_value=1,
                callback=self._level_changed,
                clamped=True,
                format=say("view.all_levels"),
            )
            dpg.add_slider_int(
                tag="share",
                width=-1,
                min_value=5,
                max_value=50,
                clamped=True,
                callback=changed,
                default_value=round(100 * PREVIEW_DUTY_CYCLE),
            )

    @property
    def mode(self) -> PreviewMode:
        return cast(PreviewMode, chosen("mode"))

    def set_mode(self, mode: PreviewMode) -> None:
        """Choose the mode."""
        choose("mode", mode)
        dpg.configure_item("slice", show=mode == "slice")
        self._changed()

    def toggle_error(self) -> None:
        """Show the error to the photo, or again what was shown before."""
        if self.mode == "error":
            self.set_mode(self._before)
        else:
            self._before = self.mode
            self.set_mode("error")

    @property
    def cut(self) -> Slice:
        """Where a slice goes through the scene."""
        if self._arranged is None:
            return Slice()
        axis, share = AXES.index(dpg.get_value("slice_axis")), dpg.get_value("slice_share") / 100
        return slice_of(self._arranged, axis, share)

    @property
    def levels(self) -> int | None:
        """Levels to show; None for all."""
        value = int(dpg.get_value("levels"))
        return value if value < self._n_levels else None

    @property
    def duty_cycle(self) -> float:
        """Of the time that pictures may take from training."""
        return dpg.get_value("share") / 100

    def _level_changed(self) -> None:
        self._label()
        self._changed()

    def _label(self) -> None:
        all_shown = self.levels is None
        text = (
            say("view.all_levels")
            if all_shown
            else say("view.some_levels", n_levels=self._n_levels)
        )
        dpg.configure_item("levels", format=text)

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        self._arranged = state.arranged
        n_levels = state.opened.n_levels if state.opened else 1
        n_levels = state.stats.n_levels if state.stats else n_levels
        if n_levels != self._n_levels:
            self._n_levels = n_levels
            dpg.configure_item("levels", max_value=n_levels)
            dpg.set_value("levels", n_levels)
            self._label()
        reveal("levels", n_levels > 1)
