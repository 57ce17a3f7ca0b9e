"""Training: method, preset and budget, its buttons, progress and curves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from app import theme
from app.panels.curves import Curves
from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import localize, tr, tr_group
from app.text.status import format_count, format_duration, memory_line, phase_text
from app.widgets.widgets import (
    Host,
    add_button,
    add_choice,
    add_dim_text,
    get_choice,
    section,
    set_choice,
    set_choices,
    set_enabled,
    set_shown,
    set_text,
)
from core.base.text import NO_TEXT
from core.config.run import MethodName, RunOptions
from core.protocol import (
    Action,
    Continue,
    DiscardTraining,
    Opened,
    Pause,
    Resume,
    RunOptionsChanged,
    SetRunOptions,
    Start,
    TrainingStats,
    WarmStart,
)

NUMBERS = ("step", "time", "psnr", "rays")
FIELDS = ("method", "wild", "unbounded", "preset", "minutes", "budget_kind")
MAX_BUDGET = {"minutes": 6000.0, "steps": 1e7}
DEFAULT_STEPS = 2000.0
"""Budget when the unit is changed to steps."""


class TrainingPanel:
    """Options of the next run, and the progress of this one."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._opened: Opened | None = None
        self._run_options: RunOptionsChanged | None = None
        self._may_set_options = self._resumes = False
        self._state = ""
        with section("training"):
            self._build_options()
            self._build_continue()
            with dpg.group(horizontal=True):
                add_button("start", self.start, width=112)
                add_button("pause", lambda: host.send(Pause()), width=112)
                add_button("reset", lambda: host.send(DiscardTraining()), width=-1)
            add_button("warm_start", lambda: host.send(WarmStart(self._options())), width=-1)
            add_dim_text("method_text", show=False)  # below the buttons, which stay where they are
            add_dim_text("preset_text", show=False)
            dpg.add_text("", tag="training_phase", wrap=theme.PANEL_WIDTH - 40, show=False)
            with dpg.group(tag="training_numbers", show=False):
                dpg.add_progress_bar(tag="training_progress", width=-1, height=20)
                _add_numbers()
                add_dim_text("memory")
                self._curves = Curves()
        for primary in ("start", "continue_training"):
            dpg.bind_item_theme(primary, "primary")

    def _build_options(self) -> None:
        add_choice("method", self._on_option_changed, width=-1)
        for switch in ("wild", "unbounded"):
            dpg.add_checkbox(tag=switch, callback=self._on_option_changed)
        with dpg.group(horizontal=True):
            add_choice("preset", self._on_option_changed, width=142)
            dpg.add_input_float(
                tag="minutes",
                width=96,
                default_value=10.0,
                min_value=0.1,
                max_value=MAX_BUDGET["minutes"],
                min_clamped=True,
                max_clamped=True,
                step=0,
                format="%.1f",
            )
            add_choice("budget_kind", self._on_budget_kind_changed, width=-1)
        with dpg.item_handler_registry(tag="budget_edited"):
            dpg.add_item_deactivated_after_edit_handler(callback=self._on_option_changed)
        dpg.bind_item_handler_registry("minutes", "budget_edited")

    def _build_continue(self) -> None:
        with dpg.group(horizontal=True, tag="continue_row", show=False):
            add_button("continue_training", self._continue, width=156)
            dpg.add_input_float(
                tag="more_minutes",
                width=-1,
                default_value=5.0,
                min_value=0.1,
                max_value=MAX_BUDGET["minutes"],
                min_clamped=True,
                max_clamped=True,
                step=0,
            )

    def start(self) -> None:
        """Start training, or resume it when paused."""
        self._host.send(Resume() if self._resumes else Start(self._options()))

    def _continue(self) -> None:
        self._host.send(Continue(float(dpg.get_value("more_minutes"))))

    def _options(self) -> RunOptions:
        return RunOptions(
            get_choice("preset") or None,
            *self._budget(),
            self._method(),
            dpg.get_value("wild"),
            dpg.get_value("unbounded"),
        )

    def _method(self) -> MethodName:
        return cast(MethodName, get_choice("method") or "surface")

    def _budget(self) -> tuple[float | None, int | None]:
        """Return minutes and steps; one of them is None."""
        value = float(dpg.get_value("minutes"))
        if get_choice("budget_kind") == "steps":
            return None, max(round(value), 1)
        return value, None

    def _on_budget_kind_changed(self) -> None:
        steps = get_choice("budget_kind") == "steps"
        before = self._opened.choice.minutes if self._opened else None
        self._show_budget(before or 10.0, round(DEFAULT_STEPS) if steps else None)
        self._on_option_changed()

    def _show_budget(self, minutes: float, steps: int | None) -> None:
        kind = "minutes" if steps is None else "steps"
        set_choice("budget_kind", kind)
        dpg.configure_item(
            "minutes", max_value=MAX_BUDGET[kind], format="%.1f" if steps is None else "%.0f"
        )
        dpg.set_value("minutes", minutes if steps is None else float(steps))

    def _on_option_changed(self) -> None:
        """Send the options, so that the change can be undone and is saved."""
        self._describe(changed=True)
        choice = self._options()
        if choice.preset is not None and self._may_set_options:
            self._host.send(SetRunOptions(choice))

    def _describe(self, *, changed: bool = False) -> None:
        """Describe the chosen method and preset.

        Before a run; with ``changed`` also during one, since the options are those of the next.
        """
        methods = self._opened.methods if self._opened else {}
        of = methods.get(self._method()) if self._may_set_options or changed else None
        set_text("method_text", localize(of.description) if of else "")
        set_text(
            "preset_text", localize(of.presets.get(get_choice("preset"), NO_TEXT)) if of else ""
        )

    def draw_panel(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        self._may_set_options = state.may("set_options")
        if state.state != self._state:
            self._state = state.state
            self._describe()
        if state.opened is not self._opened:
            self._opened = state.opened
            if state.opened is not None:
                methods = state.opened.methods
                _set_named_choices("method", methods)
                _set_named_choices("preset", methods[state.opened.choice.method].presets)
                self._show_options(state.opened.choice)
            self._describe()
        if state.run_options is not self._run_options:
            self._run_options = state.run_options
            if state.run_options is not None:
                self._show_options(state.run_options.choice)
        self._resumes = state.state == "paused"
        set_enabled("start", state.reason("resume" if self._resumes else "start"))
        buttons: dict[str, Action] = {
            "pause": "pause",
            "reset": "discard",
            "continue_training": "continue",
            "warm_start": "warm_start",
        }
        for button_, action in buttons.items():
            set_enabled(button_, state.reason(action))
        dpg.configure_item(
            "start",
            label=(tr("training.resume") if self._resumes else tr("widgets.start.label")),
        )
        for field in FIELDS:
            dpg.configure_item(field, enabled=self._may_set_options or state.may("warm_start"))
        set_shown("warm_start", state.may("warm_start"))
        dpg.configure_item("continue_row", show=state.state == "finished")
        self._draw_progress(state)
        self._curves.draw_curves(state)

    def _show_options(self, of: RunOptions) -> None:
        set_choice("method", of.method)
        set_choice("preset", of.preset or "")
        dpg.set_value("wild", of.wild)
        dpg.set_value("unbounded", of.unbounded)
        self._show_budget(of.minutes or 10.0, of.steps)
        self._describe()

    def _draw_progress(self, state: AppState) -> None:
        stats = state.stats
        set_text("training_phase", phase_text(state))
        dpg.configure_item("training_numbers", show=stats is not None)
        if stats is None:
            return
        dpg.set_value("memory", memory_line(stats))
        left = format_duration(stats.eta_s) if stats.eta_s and stats.progress < 1 else ""
        done = tr(
            "training.progress_left" if left else "training.progress",
            percent=100 * stats.progress,
            left=left,
        )
        dpg.set_value("training_progress", stats.progress)
        dpg.configure_item("training_progress", overlay=done)
        measure = "clip" if "sentence" in stats.losses else "psnr"
        dpg.set_value("number_psnr_name", tr(f"training.{measure}"))
        known = bool(stats.losses)  # not of a project that was only opened
        values = (
            f"{stats.step:,}",
            format_duration(stats.elapsed_s),
            _quality(stats) if known else "-",
            format_count(stats.rays_per_s) if known else "-",
        )
        for name, value in zip(NUMBERS, values):
            dpg.set_value(f"number_{name}", value)


def _quality(stats: TrainingStats) -> str:
    """Return the PSNR, or the CLIP similarity of a scene from a prompt."""
    if "sentence" in stats.losses:
        return tr("training.clip_value", similarity=1 - stats.losses["sentence"])
    return tr("training.psnr_value", psnr=stats.psnr)


def _set_named_choices(tag: str, of: Iterable[str]) -> None:
    """Offer ``of`` in a combo box, by their names in en.toml."""
    called = tr_group(f"choices.{tag}")
    set_choices(tag, {name: called.get(name, name) for name in of})


def _add_numbers() -> None:
    with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp):
        for weight in (1.0, 1.1, 1.0, 1.0):
            dpg.add_table_column(init_width_or_weight=weight)
        for left, right in zip(NUMBERS[::2], NUMBERS[1::2]):
            with dpg.table_row():
                for name in (left, right):
                    dpg.add_text(
                        tr(f"training.{name}"), tag=f"number_{name}_name", color=theme.TEXT_DIM
                    )
                    dpg.add_text("–", tag=f"number_{name}")
