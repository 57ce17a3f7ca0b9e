"""Training: preset and time, the buttons, how far it is, and its curves."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app import theme
from app.gui import dpg
from app.panels.widgets import Host, button, dim_text, enable, section, show_text
from app.state import AppState
from app.status import count, duration
from core.messages import Continue, Opened, Pause, Reset, Start

NUMBERS = ("Step", "Rays per s", "Sharpness", "Levels", "PSNR", "Time")
PLOT_SIZE = (168, 56)


class TrainingPanel:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._opened: Opened | None = None
        with section("Training", "training"):
            with dpg.group(tag="fresh_run"):
                with dpg.group(horizontal=True):
                    dpg.add_combo([], tag="preset", width=176, callback=self._describe)
                    dpg.add_input_float(
                        tag="minutes", width=-1, default_value=10.0, min_value=0.1,
                        max_value=6000.0, min_clamped=True, max_clamped=True, step=0,
                        format="%.1f minutes",
                    )
                dim_text("preset_words", show=False)
            with dpg.group(horizontal=True, tag="longer_run", show=False):
                button("Train on", "continue", self._continue, width=112)
                dpg.add_input_float(
                    tag="more_minutes", width=-1, default_value=5.0, min_value=0.1,
                    max_value=6000.0, min_clamped=True, max_clamped=True, step=0,
                    format="for %.1f minutes more",
                )
            with dpg.group(horizontal=True):
                button("Start", "start", self.start, width=112)
                button("Pause", "pause", lambda: host.send(Pause()), width=112)
                button("Reset", "reset", lambda: host.send(Reset()), width=-1)
            dpg.add_progress_bar(tag="training_progress", width=-1, height=20)
            _numbers()
            with dpg.group(horizontal=True):
                _plot("psnr", "PSNR, dB", theme.PLOT_PSNR)
                _plot("loss", "Loss", theme.PLOT_LOSS)
        for primary in ("start", "continue"):
            dpg.bind_item_theme(primary, "primary")

    def start(self) -> None:
        self._host.send(Start(preset=self._preset(), minutes=float(dpg.get_value("minutes"))))

    def _continue(self) -> None:
        self._host.send(Continue(float(dpg.get_value("more_minutes"))))

    def _preset(self) -> str | None:
        return dpg.get_value("preset") or None

    def _describe(self) -> None:
        presets = self._opened.presets if self._opened else {}
        show_text("preset_words", presets.get(dpg.get_value("preset"), ""))

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        if state.opened is not self._opened:
            self._opened = state.opened
            if state.opened is not None:
                dpg.configure_item("preset", items=list(state.opened.presets))
                dpg.set_value("preset", state.opened.preset)
                dpg.set_value("minutes", state.opened.minutes)
            self._describe()
        for command in ("start", "pause", "reset", "continue"):
            enable(command, state.reason(command))
        dpg.configure_item("start", label="Resume" if state.state == "paused" else "Start")
        fresh = state.state in ("empty", "opening", "solving", "ready")
        dpg.configure_item("preset", enabled=fresh)
        dpg.configure_item("minutes", enabled=fresh)
        dpg.configure_item("fresh_run", show=state.state != "finished")
        dpg.configure_item("longer_run", show=state.state == "finished")
        self._draw_progress(state)
        _draw_curves(state)

    def _draw_progress(self, state: AppState) -> None:
        stats = state.stats
        if stats is None:
            dpg.set_value("training_progress", 0.0)
            dpg.configure_item("training_progress", overlay="")
            for name in NUMBERS:
                dpg.set_value(f"number_{name}", "–")
            return
        left = f"  ·  {duration(stats.eta_s)} left" if stats.eta_s and stats.progress < 1 else ""
        dpg.set_value("training_progress", stats.progress)
        dpg.configure_item("training_progress", overlay=f"{100 * stats.progress:.0f} %{left}")
        values = (
            f"{stats.step:,}", count(stats.rays_per_s), f"{stats.inv_s:.0f}",
            f"{stats.active_levels:.1f} of {stats.n_levels}", f"{stats.psnr:.1f} dB",
            duration(stats.elapsed_s),
        )
        for name, value in zip(NUMBERS, values):
            dpg.set_value(f"number_{name}", value)


def _numbers() -> None:
    with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp):
        for weight in (1.0, 1.1, 0.9, 0.8):
            dpg.add_table_column(init_width_or_weight=weight)
        for left, right in zip(NUMBERS[::2], NUMBERS[1::2]):
            with dpg.table_row():
                for name in (left, right):
                    dpg.add_text(name, color=theme.TEXT_DIM)
                    dpg.add_text("–", tag=f"number_{name}")


def _plot(name: str, title: str, color: theme.Color) -> None:
    with dpg.group():
        dpg.add_text(title, color=color)
        with dpg.plot(
            tag=f"plot_{name}", width=PLOT_SIZE[0], height=PLOT_SIZE[1], no_menus=True,
            no_box_select=True, no_mouse_pos=True, no_inputs=True,
        ):
            dpg.add_plot_axis(
                dpg.mvXAxis, tag=f"{name}_x", no_tick_labels=True, no_tick_marks=True,
                no_gridlines=True,
            )
            with dpg.plot_axis(dpg.mvYAxis, tag=f"{name}_y"):
                dpg.add_line_series([], [], tag=f"{name}_series")
    dpg.bind_item_theme(f"{name}_series", f"line_{name}")


def _draw_curves(state: AppState) -> None:
    steps = state.history.steps
    for name, values in (("psnr", state.history.psnr), ("loss", state.history.loss)):
        dpg.set_value(f"{name}_series", [list(steps), list(values)])
        low, high = axis_range(values)
        first, last = (steps[0], steps[-1]) if steps else (0.0, 0.0)
        dpg.set_axis_limits(f"{name}_x", first, last + 1)
        dpg.set_axis_limits(f"{name}_y", low, high)


def axis_range(values: Sequence[float]) -> tuple[float, float]:
    """Limits that hold all finite ``values``, never empty."""
    finite = [v for v in values if math.isfinite(v)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    return low - margin, high + margin
