"""How the preview is shown: mode, detail, how often, and the way back to the first view."""

from __future__ import annotations

from collections.abc import Callable

from app.gui import dpg
from app.panels.widgets import button, explain, section
from app.slicing import AXES, Slice, slice_of
from app.state import AppState
from core.messages import PREVIEW_SHARE, Arranged, PreviewMode

MODES: dict[str, PreviewMode] = {
    "Color": "color", "Normals": "normals", "Depth": "depth", "Mesh": "mesh",
    "Wireframe": "wireframe", "Slice": "slice", "Error to the photo": "error",
    "Levels of detail": "level",
}


class ViewPanel:
    """``changed`` is called after anything was changed here; ``photo`` and ``split`` compare with
    the photo that is looked through, ``album`` shows the list of photos."""

    def __init__(
        self, changed: Callable[[], None], reset: Callable[[], None], *,
        photo: Callable[[], None], split: Callable[[], None], album: Callable[[], None],
    ) -> None:
        self._n_levels = 1
        self._changed = changed
        self._before = "Color"
        self._arranged: Arranged | None = None
        with section("View", "view"):
            with dpg.group(horizontal=True):
                dpg.add_combo(
                    list(MODES), tag="mode", default_value="Color", width=200,
                    callback=lambda: self.set_mode(dpg.get_value("mode")),
                )
                button("Reset view", "reset_view", reset, width=-1)
            with dpg.group(tag="slice", horizontal=True, show=False):
                dpg.add_combo(
                    AXES, tag="slice_axis", default_value=AXES[2], width=60, callback=changed
                )
                dpg.add_slider_float(
                    tag="slice_share", width=-1, min_value=0, max_value=100, default_value=50,
                    callback=changed, format="%.1f%% of the way", clamped=True,
                )
            with dpg.group(horizontal=True):
                button("Photo", "show_photo", photo, width=80)
                explain("show_photo", "The photo itself, from its own place, undistorted; G.")
                button("Compare", "compare", split, width=100)
                explain("compare", "The photo beside the rendering, with a line to drag; C.")
                button("All photos…", "album_open", album, width=-1)
                explain("album_open", "Which photos are explained worst; leave them out; I.")
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

    def set_mode(self, name: str) -> None:
        """Choose the mode by its name in `MODES`."""
        dpg.set_value("mode", name)
        dpg.configure_item("slice", show=MODES[name] == "slice")
        self._changed()

    def toggle_error(self) -> None:
        """Show the error to the photo, or again what was shown before."""
        now = dpg.get_value("mode")
        if MODES[now] == "error":
            self.set_mode(self._before)
        else:
            self._before = now
            self.set_mode(next(name for name, mode in MODES.items() if mode == "error"))

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
        self._arranged = state.arranged
        n_levels = state.opened.n_levels if state.opened else 1
        if n_levels != self._n_levels:
            self._n_levels = n_levels
            dpg.configure_item("levels", max_value=n_levels)
            dpg.set_value("levels", n_levels)
            self._label()
        dpg.configure_item("levels", enabled=n_levels > 1)
