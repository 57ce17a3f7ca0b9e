"""The pose doctor: what became of each photo, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from app import theme
from app.gui import dpg
from app.panels.widgets import Host, button, enable, show_text
from app.state import AppState
from core.config import OpenOptions, PoseQuality
from core.messages import PhotoReport, PoseReport

QUALITIES: dict[str, PoseQuality] = {
    "Fast": "fast", "Normal": "normal", "Best": "best",
}
SIZE = (860, 520)
ROW = 24
COLUMNS = ("Photo", "Used", "Details", "In common", "Error, pixels", "Sharpness")


class PosesPanel:
    """A window of its own, opened from the photos' panel. ``look`` goes to the place of a used
    photo, by its name."""

    def __init__(self, host: Host, look: Callable[[str], None]) -> None:
        self._host, self._look = host, look
        self._report: PoseReport | None = None
        self._path = ""
        with dpg.window(
            tag="doctor", label="Photos and their poses", width=SIZE[0], height=SIZE[1],
            pos=(60, 60), show=False, no_collapse=True,
        ):
            dpg.add_text("", tag="doctor_summary", wrap=SIZE[0] - 40)
            dpg.add_text("", tag="doctor_advice", color=theme.PLOT_LOSS, wrap=SIZE[0] - 40)
            dpg.add_text("", tag="doctor_attempts", color=theme.TEXT_DIM, wrap=SIZE[0] - 40)
            with dpg.group(horizontal=True):
                dpg.add_combo(list(QUALITIES), tag="quality", default_value="Normal", width=110)
                button("Solve again", "solve_again", self._solve_again, width=110)
                dpg.add_input_int(
                    tag="frames", default_value=OpenOptions().frames, width=160, step=20,
                    min_value=10, max_value=1000, min_clamped=True, max_clamped=True,
                    label="frames of a film",
                )
                dpg.add_combo([], tag="group", width=220, callback=self._choose_group)
            with dpg.table(
                tag="doctor_photos", policy=dpg.mvTable_SizingStretchProp, scrollY=True,
                borders_innerH=True, clipper=True, freeze_rows=1,
            ):
                for name in COLUMNS:
                    dpg.add_table_column(label=name)
        dpg.bind_item_theme("doctor", "padded_window")
        dpg.bind_item_theme("doctor_photos", "rows")

    @property
    def quality(self) -> PoseQuality:
        return QUALITIES[dpg.get_value("quality")]

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
        enable("photos", "" if state.poses else "The poses of what is open were not solved here.")
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
        words = f"{used} of {len(report.photos)} photos are used." if report.photos else (
            "Another program placed the photos, in several models.")
        dpg.set_value("doctor_summary", words)
        show_text("doctor_advice", "\n".join(f"{words}." for words in report.advice))
        told = report.attempts if len(report.attempts) > 1 else ()
        show_text("doctor_attempts", "\n".join(f"{words}." for words in told))
        groups = _groups(report)
        dpg.configure_item("group", items=groups, show=len(groups) > 1)
        dpg.set_value("group", groups[report.group])
        for photo in sorted(report.photos, key=lambda photo: photo.used):
            self._row(photo)

    def _row(self, photo: PhotoReport) -> None:
        color = theme.TEXT if photo.used else theme.PLOT_LOSS
        cells = (
            "yes" if photo.used else photo.reason, f"{photo.details:,}",
            f"{photo.n_common:,} with {photo.common}" if photo.common else "nothing",
            "" if photo.error_px is None else f"{photo.error_px:.2f}",
            "" if photo.sharpness is None else f"{photo.sharpness:.2f}",
        )
        with dpg.table_row(parent="doctor_photos"):
            dpg.add_selectable(
                label=photo.name, span_columns=True, enabled=photo.used, height=ROW,
                callback=lambda: self._look(photo.name),
            )
            for cell in cells:
                dpg.add_text(cell, color=color)


def _groups(report: PoseReport) -> list[str]:
    return [f"Group {i + 1}: {n} photos" for i, n in enumerate(report.groups)]
