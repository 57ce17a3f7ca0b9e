"""The report of pose estimation: the status of each photo, and advice."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px
from app.state import AppState
from app.text.catalog import localize, tr
from app.widgets.widgets import (
    Host,
    add_button,
    add_choice,
    get_choice,
    set_choice,
    set_enabled,
    set_shown,
    set_text,
)
from core.config.opening import OpenOptions, PoseQuality
from core.protocol import PhotoReport, PoseReport

SIZE, MARGIN = (960, 520), 60
ROW_HEIGHT = 24
COLUMNS = ("photo", "status", "features", "matches", "error", "sharpness")


class PosesPanel:
    """A window with the report, and the options to solve the poses again."""

    def __init__(self, host: Host, look_through: Callable[[str], None]) -> None:
        """Build the widgets; ``look_through`` gets the name of a photo that was clicked."""
        self._host, self._look_through = host, look_through
        self._report: PoseReport | None = None
        self._path = ""
        with dpg.window(
            tag="poses",
            width=min(px(SIZE[0]), dpg.get_viewport_width() - 2 * MARGIN),
            height=px(SIZE[1]),
            pos=(MARGIN, MARGIN),
            show=False,
            no_collapse=True,
        ):
            dpg.add_text("", tag="poses_summary", wrap=SIZE[0] - 40)
            dpg.add_text("", tag="poses_advice", color=theme.PLOT_LOSS, wrap=SIZE[0] - 40)
            dpg.add_text("", tag="poses_attempts", color=theme.TEXT_DIM, wrap=SIZE[0] - 40)
            with dpg.group(horizontal=True):
                add_choice("quality", width=110)
                set_choice("quality", OpenOptions().quality)
                add_button("solve_again", self._solve_again, width=110)
                dpg.add_input_int(
                    tag="video_frames",
                    default_value=OpenOptions().frames,
                    width=160,
                    step=20,
                    min_value=10,
                    max_value=1000,
                    min_clamped=True,
                    max_clamped=True,
                )
                dpg.add_combo([], tag="photo_group", width=220, callback=self._choose_group)
            with dpg.table(
                tag="poses_table",
                policy=dpg.mvTable_SizingFixedFit,
                scrollY=True,
                borders_innerH=True,
                clipper=True,
                freeze_rows=1,
            ):
                for name in COLUMNS:
                    dpg.add_table_column(label=tr(f"poses.{name}"), width_stretch=name == "status")
        dpg.bind_item_theme("poses", "padded_window")
        dpg.bind_item_theme("poses_table", "rows")

    @property
    def quality(self) -> PoseQuality:
        """Quality of pose estimation that is chosen."""
        return cast(PoseQuality, get_choice("quality"))

    @property
    def video_frames(self) -> int:
        """Maximum number of frames taken from a video."""
        return dpg.get_value("video_frames")

    def toggle_window(self) -> None:
        """Show or hide the window."""
        dpg.configure_item("poses", show=not dpg.is_item_shown("poses"))

    def _solve_again(self) -> None:
        self._host.open_path(self._path)

    def _choose_group(self) -> None:
        assert self._report is not None
        chosen = _group_labels(self._report).index(dpg.get_value("photo_group"))
        if chosen != self._report.group:
            self._host.open_path(self._path, chosen)

    def draw_panel(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        set_enabled("open_poses", "" if state.poses else tr("why.poses_not_solved"))
        set_enabled("solve_again", state.reason("open"))
        dpg.configure_item("photo_group", enabled=state.may("open"))
        if state.poses is self._report:
            return
        self._report, self._path = state.poses, state.opened.path if state.opened else ""
        dpg.delete_item("poses_table", children_only=True, slot=1)
        if state.poses is None:
            dpg.configure_item("poses", show=False)
            return
        self._show_report(state.poses)

    def _show_report(self, report: PoseReport) -> None:
        used = sum(photo.used for photo in report.photos)
        summary = (
            tr("poses.summary", len(report.photos), used=used)
            if report.photos
            else (tr("poses.external"))
        )
        dpg.set_value("poses_summary", summary)
        set_text("poses_advice", "\n".join(f"{localize(advice)}." for advice in report.advice))
        attempts = report.attempts if len(report.attempts) > 1 else ()
        set_text("poses_attempts", "\n".join(f"{localize(attempt)}." for attempt in attempts))
        groups = _group_labels(report)
        dpg.configure_item("photo_group", items=groups)
        set_shown("photo_group", len(groups) > 1)
        dpg.set_value("photo_group", groups[report.group])
        for photo in sorted(report.photos, key=lambda photo: photo.used):
            self._add_row(photo)

    def _add_row(self, photo: PhotoReport) -> None:
        color = theme.TEXT if photo.used else theme.PLOT_LOSS
        cells = (
            tr("poses.used") if photo.used else localize(photo.reason),
            f"{photo.n_features:,}",
            tr("poses.matches_with", number=photo.n_matches, name=photo.best_match)
            if photo.best_match
            else tr("poses.no_matches"),
            "" if photo.error_px is None else f"{photo.error_px:.2f}",
            "" if photo.sharpness is None else f"{photo.sharpness:.2f}",
        )
        with dpg.table_row(parent="poses_table"):
            dpg.add_selectable(
                label=photo.name,
                span_columns=True,
                enabled=photo.used,
                height=ROW_HEIGHT,
                callback=lambda: self._look_through(photo.name),
            )
            for cell in cells:
                dpg.add_text(cell, color=color)


def _group_labels(report: PoseReport) -> list[str]:
    return [tr("poses.group", n, number=i + 1) for i, n in enumerate(report.groups)]
