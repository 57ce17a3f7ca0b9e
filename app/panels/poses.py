"""The pose doctor: what became of each photo, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px
from app.state import AppState
from app.text.catalog import say, words
from app.widgets.widgets import Host, button, choice, choose, chosen, enable, reveal, show_text
from core.config.run import OpenOptions, PoseQuality
from core.protocol import PhotoReport, PoseReport

SIZE, CORNER = (960, 520), 60
ROW = 24
COLUMNS = ("photo", "used", "details", "common", "error", "sharpness")


class PosesPanel:
    """A window of its own, opened from the photos' panel. ``look`` goes to the place of a used
    photo, by its name."""

    def __init__(self, host: Host, look: Callable[[str], None]) -> None:
        self._host, self._look = host, look
        self._report: PoseReport | None = None
        self._path = ""
        with dpg.window(
            tag="doctor",
            width=min(px(SIZE[0]), dpg.get_viewport_width() - 2 * CORNER),
            height=px(SIZE[1]),
            pos=(CORNER, CORNER),
            show=False,
            no_collapse=True,
        ):
            dpg.add_text("", tag="doctor_summary", wrap=SIZE[0] - 40)
            dpg.add_text("", tag="doctor_advice", color=theme.PLOT_LOSS, wrap=SIZE[0] - 40)
            dpg.add_text("", tag="doctor_attempts", color=theme.TEXT_DIM, wrap=SIZE[0] - 40)
            with dpg.group(horizontal=True):
                choice("quality", width=110)
                choose("quality", OpenOptions().quality)
                button("solve_again", self._solve_again, width=110)
                dpg.add_input_int(
                    tag="frames",
                    default_value=OpenOptions().frames,
                    width=160,
                    step=20,
                    min_value=10,
                    max_value=1000,
                    min_clamped=True,
                    max_clamped=True,
                )
                dpg.add_combo([], tag="group", width=220, callback=self._choose_group)
            with dpg.table(
                tag="doctor_photos",
                policy=dpg.mvTable_SizingFixedFit,
                scrollY=True,
                borders_innerH=True,
                clipper=True,
                freeze_rows=1,
            ):
                for name in COLUMNS:
                    dpg.add_table_column(label=say(f"poses.{name}"), width_stretch=name == "used")
        dpg.bind_item_theme("doctor", "padded_window")
        dpg.bind_item_theme("doctor_photos", "rows")

    @property
    def quality(self) -> PoseQuality:
        return cast(PoseQuality, chosen("quality"))

    @property
    def frames(self) -> int:
        """Of a film, at most."""
        return dpg.get_value("frames")

    def toggle(self) -> None:
        """Show or hide the window."""
        dpg.configure_item("doctor", show=not dpg.is_item_shown("doctor"))

    def _solve_again(self) -> None:
        self._host.open(self._path)

    def _choose_group(self) -> None:
        assert self._report is not None
        chosen = _groups(self._report).index(dpg.get_value("group"))
        if chosen != self._report.group:
            self._host.open(self._path, chosen)

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        enable("photos", "" if state.poses else say("why.not_solved_here"))
        enable("solve_again", state.reason("open"))
        dpg.configure_item("group", enabled=state.may("open"))
        if state.poses is self._report:
            return
        self._report, self._path = state.poses, state.opened.path if state.opened else ""
        dpg.delete_item("doctor_photos", children_only=True, slot=1)
        if state.poses is None:
            dpg.configure_item("doctor", show=False)
            return
        self._fill(state.poses)

    def _fill(self, report: PoseReport) -> None:
        used = sum(photo.used for photo in report.photos)
        summary = (
            say("poses.summary", len(report.photos), used=used)
            if report.photos
            else (say("poses.elsewhere"))
        )
        dpg.set_value("doctor_summary", summary)
        show_text("doctor_advice", "\n".join(f"{words(advice)}." for advice in report.advice))
        told = report.attempts if len(report.attempts) > 1 else ()
        show_text("doctor_attempts", "\n".join(f"{words(attempt)}." for attempt in told))
        groups = _groups(report)
        dpg.configure_item("group", items=groups)
        reveal("group", len(groups) > 1)
        dpg.set_value("group", groups[report.group])
        for photo in sorted(report.photos, key=lambda photo: photo.used):
            self._row(photo)

    def _row(self, photo: PhotoReport) -> None:
        color = theme.TEXT if photo.used else theme.PLOT_LOSS
        cells = (
            say("poses.is_used") if photo.used else words(photo.reason),
            f"{photo.details:,}",
            say("poses.common_with", number=photo.n_common, name=photo.common)
            if photo.common
            else say("poses.nothing_common"),
            "" if photo.error_px is None else f"{photo.error_px:.2f}",
            "" if photo.sharpness is None else f"{photo.sharpness:.2f}",
        )
        with dpg.table_row(parent="doctor_photos"):
            dpg.add_selectable(
                label=photo.name,
                span_columns=True,
                enabled=photo.used,
                height=ROW,
                callback=lambda: self._look(photo.name),
            )
            for cell in cells:
                dpg.add_text(cell, color=color)


def _groups(report: PoseReport) -> list[str]:
    return [say("poses.group", n, number=i + 1) for i, n in enumerate(report.groups)]
