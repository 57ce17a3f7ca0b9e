"""Training: preset and budget, the buttons, what it is doing, how far it is, and its curves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from app import theme
from app.panels.curves import Curves
from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import names, say, words
from app.text.status import count, doing, duration, memory_line
from app.widgets.widgets import (
    Host,
    button,
    choice,
    choose,
    chosen,
    dim_text,
    enable,
    offer,
    reveal,
    section,
    show_text,
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
MOST = {"minutes": 6000.0, "steps": 1e7}
STEPS = 2000.0
"""Offered when a person chooses to count steps."""


class TrainingPanel:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._opened: Opened | None = None
        self._chosen: RunOptionsChanged | None = None
        self._may_choose = self._resumes = False
        self._state = ""
        with section("training"):
            self._build_fresh()
            self._build_longer()
            with dpg.group(horizontal=True):
                button("start", self.start, width=112)
                button("pause", lambda: host.send(Pause()), width=112)
                button("reset", lambda: host.send(DiscardTraining()), width=-1)
            button("renew", lambda: host.send(WarmStart(self._choice())), width=-1)
            dim_text("method_words", show=False)  # below the buttons, which stay where they are
            dim_text("preset_words", show=False)
            dpg.add_text("", tag="doing", wrap=theme.PANEL_WIDTH - 40, show=False)
            with dpg.group(tag="figures", show=False):
                dpg.add_progress_bar(tag="training_progress", width=-1, height=20)
                _numbers()
                dim_text("memory")
                self._curves = Curves()
        for primary in ("start", "continue"):
            dpg.bind_item_theme(primary, "primary")

    def _build_fresh(self) -> None:
        choice("method", self._choose, width=-1)
        for switch in ("wild", "unbounded"):
            dpg.add_checkbox(tag=switch, callback=self._choose)
        with dpg.group(horizontal=True):
            choice("preset", self._choose, width=142)
            dpg.add_input_float(
                tag="minutes",
                width=96,
                default_value=10.0,
                min_value=0.1,
                max_value=MOST["minutes"],
                min_clamped=True,
                max_clamped=True,
                step=0,
                format="%.1f",
            )
            choice("budget_kind", self._change_kind, width=-1)
        with dpg.item_handler_registry(tag="budget_edited"):
            dpg.add_item_deactivated_after_edit_handler(callback=self._choose)
        dpg.bind_item_handler_registry("minutes", "budget_edited")

    def _build_longer(self) -> None:
        with dpg.group(horizontal=True, tag="longer_run", show=False):
            button("continue", self._continue, width=156)
            dpg.add_input_float(
                tag="more_minutes",
                width=-1,
                default_value=5.0,
                min_value=0.1,
                max_value=MOST["minutes"],
                min_clamped=True,
                max_clamped=True,
                step=0,
            )

    def start(self) -> None:
        """Start training, or resume it when paused."""
        self._host.send(Resume() if self._resumes else Start(self._choice()))

    def _continue(self) -> None:
        self._host.send(Continue(float(dpg.get_value("more_minutes"))))

    def _choice(self) -> RunOptions:
        return RunOptions(
            chosen("preset") or None,
            *self._budget(),
            self._method(),
            dpg.get_value("wild"),
            dpg.get_value("unbounded"),
        )

    def _method(self) -> MethodName:
        return cast(MethodName, chosen("method") or "surface")

    def _budget(self) -> tuple[float | None, int | None]:
        """Minutes or steps."""
        value = float(dpg.get_value("minutes"))
        if chosen("budget_kind") == "steps":
            return None, max(round(value), 1)
        return value, None

    def _change_kind(self) -> None:
        steps = chosen("budget_kind") == "steps"
        before = self._opened.choice.minutes if self._opened else None
        self._show_budget(before or 10.0, round(STEPS) if steps else None)
        self._choose()

    def _show_budget(self, minutes: float, steps: int | None) -> None:
        kind = "minutes" if steps is None else "steps"
        choose("budget_kind", kind)
        dpg.configure_item(
            "minutes", max_value=MOST[kind], format="%.1f" if steps is None else "%.0f"
        )
        dpg.set_value("minutes", minutes if steps is None else float(steps))

    def _choose(self) -> None:
        """Tell the worker, so that the choice can be undone and is saved."""
        self._describe(changed=True)
        choice = self._choice()
        if choice.preset is not None and self._may_choose:
            self._host.send(SetRunOptions(choice))

    def _describe(self, *, changed: bool = False) -> None:
        """Say what the choice means: before a run, and when it is ``changed`` for the next; what
        follows is in sight otherwise."""
        methods = self._opened.methods if self._opened else {}
        of = methods.get(self._method()) if self._may_choose or changed else None
        show_text("method_words", words(of.words) if of else "")
        show_text("preset_words", words(of.presets.get(chosen("preset"), NO_TEXT)) if of else "")

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        self._may_choose = state.may("set_options")
        if state.state != self._state:
            self._state = state.state
            self._describe()
        if state.opened is not self._opened:
            self._opened = state.opened
            if state.opened is not None:
                methods = state.opened.methods
                _offer("method", methods)
                _offer("preset", methods[state.opened.choice.method].presets)
                self._show_choice(state.opened.choice)
            self._describe()
        if state.chosen is not self._chosen:
            self._chosen = state.chosen
            if state.chosen is not None:
                self._show_choice(state.chosen.choice)
        self._resumes = state.state == "paused"
        enable("start", state.reason("resume" if self._resumes else "start"))
        buttons: dict[str, Action] = {
            "pause": "pause",
            "reset": "discard",
            "continue": "continue",
            "renew": "warm_start",
        }
        for button_, action in buttons.items():
            enable(button_, state.reason(action))
        dpg.configure_item(
            "start",
            label=(say("training.resume") if self._resumes else say("widgets.start.label")),
        )
        for field in FIELDS:
            dpg.configure_item(field, enabled=self._may_choose or state.may("warm_start"))
        reveal("renew", state.may("warm_start"))
        dpg.configure_item("longer_run", show=state.state == "finished")
        self._draw_progress(state)
        self._curves.draw(state)

    def _show_choice(self, of: RunOptions) -> None:
        choose("method", of.method)
        choose("preset", of.preset or "")
        dpg.set_value("wild", of.wild)
        dpg.set_value("unbounded", of.unbounded)
        self._show_budget(of.minutes or 10.0, of.steps)
        self._describe()

    def _draw_progress(self, state: AppState) -> None:
        stats = state.stats
        show_text("doing", doing(state))
        dpg.configure_item("figures", show=stats is not None)
        if stats is None:
            return
        dpg.set_value("memory", memory_line(stats))
        left = duration(stats.eta_s) if stats.eta_s and stats.progress < 1 else ""
        done = say(
            "training.progress_left" if left else "training.progress",
            percent=100 * stats.progress,
            left=left,
        )
        dpg.set_value("training_progress", stats.progress)
        dpg.configure_item("training_progress", overlay=done)
        measure = "clip" if "sentence" in stats.losses else "psnr"
        dpg.set_value("number_psnr_name", say(f"training.{measure}"))
        known = bool(stats.losses)  # not of a project that was only opened
        values = (
            f"{stats.step:,}",
            duration(stats.elapsed_s),
            _quality(stats) if known else "-",
            count(stats.rays_per_s) if known else "-",
        )
        for name, value in zip(NUMBERS, values):
            dpg.set_value(f"number_{name}", value)


def _quality(stats: TrainingStats) -> str:
    """How close pictures come to the photos, or to the sentence."""
    if "sentence" in stats.losses:
        return say("training.likeness", likeness=1 - stats.losses["sentence"])
    return say("training.db", psnr=stats.psnr)


def _offer(tag: str, of: Iterable[str]) -> None:
    """Let a choice be among these, called as the window calls them."""
    called = names(f"choices.{tag}")
    offer(tag, {name: called.get(name, name) for name in of})


def _numbers() -> None:
    with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp):
        for weight in (1.0, 1.1, 1.0, 1.0):
            dpg.add_table_column(init_width_or_weight=weight)
        for left, right in zip(NUMBERS[::2], NUMBERS[1::2]):
            with dpg.table_row():
                for name in (left, right):
                    dpg.add_text(
                        say(f"training.{name}"), tag=f"number_{name}_name", color=theme.TEXT_DIM
                    )
                    dpg.add_text("–", tag=f"number_{name}")
