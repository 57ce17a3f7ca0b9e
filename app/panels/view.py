"""The display of the viewport: mode, level of detail, share of computing time."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import tr
from app.viewport.photo_overlay import CompareMode
from app.viewport.slicing import AXES, SceneSlice, slice_through
from app.widgets.widgets import add_button, add_choice, get_choice, section, set_choice, set_shown
from core.geometry.view import PREVIEW_DUTY_CYCLE, PreviewMode
from core.protocol import Arrangement


class ViewPanel:
    """The display mode of the viewport, the slice, photo comparison and level of detail."""

    def __init__(
        self,
        on_changed: Callable[[], None],
        reset: Callable[[], None],
        *,
        compare: Callable[[CompareMode], None],
        show_photo_list: Callable[[], None],
    ) -> None:
        """Build the widgets.

        Args:
            on_changed: Called after any change.
            reset: Returns to the initial view.
            compare: Starts or ends a comparison with the current photo.
            show_photo_list: Shows or hides the list of photos.
        """
        self._n_levels = 1
        self._on_changed = on_changed
        self._mode_before_error: PreviewMode = "color"
        self._arrangement: Arrangement | None = None
        with section("view"):
            with dpg.group(horizontal=True):
                add_choice("mode", lambda: self.set_mode(self.mode), width=200)
                add_button("reset_view", reset, width=-1)
            with dpg.group(tag="slice", horizontal=True, show=False):
                dpg.add_combo(
                    AXES, tag="slice_axis", default_value=AXES[2], width=60, callback=on_changed
                )
                dpg.add_slider_float(
                    tag="slice_position",
                    width=-1,
                    min_value=0,
                    max_value=100,
                    default_value=50,
                    callback=on_changed,
                    clamped=True,
                )
            with dpg.group(horizontal=True):
                add_button("show_photo", lambda: compare("photo"), width=64)
                add_button("compare", lambda: compare("split"), width=82)
                add_button("blink", lambda: compare("blink"), width=58)
                add_button("open_photo_list", show_photo_list, width=-1)
            dpg.add_slider_int(
                tag="detail_levels",
                width=-1,
                min_value=1,
                max_value=1,
                default_value=1,
                callback=self._level_changed,
                clamped=True,
                format=tr("view.all_levels"),
            )
            dpg.add_slider_int(
                tag="preview_duty",
                width=-1,
                min_value=5,
                max_value=50,
                clamped=True,
                callback=on_changed,
                default_value=round(100 * PREVIEW_DUTY_CYCLE),
            )

    @property
    def mode(self) -> PreviewMode:
        """The display mode."""
        return cast(PreviewMode, get_choice("mode"))

    def set_mode(self, mode: PreviewMode) -> None:
        """Choose the display mode."""
        set_choice("mode", mode)
        dpg.configure_item("slice", show=mode == "slice")
        self._on_changed()

    def toggle_error(self) -> None:
        """Show the error to the photo, or the mode before."""
        if self.mode == "error":
            self.set_mode(self._mode_before_error)
        else:
            self._mode_before_error = self.mode
            self.set_mode("error")

    @property
    def scene_slice(self) -> SceneSlice:
        """The slice through the scene."""
        if self._arrangement is None:
            return SceneSlice()
        axis, share = AXES.index(dpg.get_value("slice_axis")), dpg.get_value("slice_position") / 100
        return slice_through(self._arrangement, axis, share)

    @property
    def levels(self) -> int | None:
        """Hash levels to show; None for all."""
        value = int(dpg.get_value("detail_levels"))
        return value if value < self._n_levels else None

    @property
    def duty_cycle(self) -> float:
        """Fraction of the time that previews may take from training."""
        return dpg.get_value("preview_duty") / 100

    def _level_changed(self) -> None:
        self._update_label()
        self._on_changed()

    def _update_label(self) -> None:
        all_shown = self.levels is None
        text = (
            tr("view.all_levels") if all_shown else tr("view.some_levels", n_levels=self._n_levels)
        )
        dpg.configure_item("detail_levels", format=text)

    def draw_panel(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        self._arrangement = state.arrangement
        n_levels = state.opened.n_levels if state.opened else 1
        n_levels = state.stats.n_levels if state.stats else n_levels
        if n_levels != self._n_levels:
            self._n_levels = n_levels
            dpg.configure_item("detail_levels", max_value=n_levels)
            dpg.set_value("detail_levels", n_levels)
            self._update_label()
        set_shown("detail_levels", n_levels > 1)
