"""Training curves: one tab for each kind, with few ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from app import theme
from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import tr
from app.text.status import format_count
from app.widgets.widgets import set_text
from core.protocol import TrainingStats

HEIGHT = 120
"""Of a plot, pixels before scaling."""
COLUMNS = 2
"""Of the labels above a plot, where they hide nothing."""
MAX_TERMS = len(theme.SERIES)

MAX_EMPTY_FRACTION = 0.2
"""A plot begins at step 0 unless more than this fraction of it would be empty."""


@dataclass(frozen=True)
class CurveTab:
    """A tab with one or more curves."""

    values: Callable[[TrainingStats], Mapping[str, float | None]]
    """Values of the curves by name."""
    n: int = 1
    """Maximum number of curves."""
    logarithmic: bool = False
    """Whether the vertical axis is logarithmic."""

    def lines(self, history: Sequence[TrainingStats]) -> dict[str, list[tuple[float, float]]]:
        """Return (step, value) pairs of each curve, in the order in which they began."""
        lines: dict[str, list[tuple[float, float]]] = {}
        for stats in history:
            for name, value in self.values(stats).items():
                if value is not None and _is_drawable(value, self.logarithmic):
                    lines.setdefault(name, []).append((float(stats.step), value))
        return dict(islice(lines.items(), self.n))


CURVE_TABS = {
    "psnr": CurveTab(lambda stats: {"psnr": stats.psnr}),
    "loss": CurveTab(lambda stats: stats.losses, MAX_TERMS, logarithmic=True),
    "inv_s": CurveTab(lambda stats: {"inv_s": stats.inv_s}),
    "levels": CurveTab(lambda stats: {"levels": stats.active_levels}),
    "speed": CurveTab(lambda stats: {"speed": stats.samples_per_s}),
}


class Curves:
    """The tabs of the training panel."""

    def __init__(self) -> None:
        self._drawn: object = None
        with dpg.tab_bar(tag="curves"):
            for name, tab in CURVE_TABS.items():
                with dpg.tab(tag=f"curve_{name}"):
                    _add_labels(name, tab.n)
                    _add_plot(name, tab)

    def draw_curves(self, state: AppState) -> None:
        """Plot the history of ``state``."""
        if state.history is self._drawn:
            return
        self._drawn = state.history
        history = state.history.stats
        dpg.configure_item("curves", show=bool(history))  # nothing is history of a saved project
        for name, tab in CURVE_TABS.items():
            shown: list[float] = []
            lines = tab.lines(history)
            for (series, _), line in zip_longest(_series_tags(name, tab.n), lines):
                points = lines.get(line or "", [])
                steps, values = [p[0] for p in points], [p[1] for p in points]
                dpg.set_value(series, [steps, values])
                now = f"{tr(f'curves.{line}')} {format_number(values[-1])}" if values else ""
                set_text(f"{series}_now", now)
                dpg.configure_item(series, show=bool(values))
                shown += values
            for i in range(0, tab.n, COLUMNS):
                dpg.configure_item(f"{name}_row_{i}", show=i < len(lines))
            dpg.configure_item(f"curve_{name}", show=bool(shown) or not history)
            _fit_axes(name, tab, shown, [float(stats.step) for stats in history])


def _is_drawable(value: float, logarithmic: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not logarithmic)


def _series_tags(name: str, n: int) -> list[tuple[str, str]]:
    """Return the tags of the curves and the names of their colours."""
    return [(f"{name}_series_{i}", theme.SERIES[i]) for i in range(n)]


def _add_labels(name: str, n: int) -> None:
    series = _series_tags(name, n)
    with dpg.table(header_row=False):
        for _ in range(min(n, COLUMNS)):
            dpg.add_table_column()
        for i in range(0, n, COLUMNS):
            with dpg.table_row(tag=f"{name}_row_{i}", show=False):
                for tag, shade in series[i : i + COLUMNS]:
                    color = getattr(theme, f"PLOT_{shade.upper()}")
                    dpg.add_text("", tag=f"{tag}_now", color=color, show=False)


def _add_plot(name: str, tab: CurveTab) -> None:
    with dpg.plot(
        tag=f"plot_{name}",
        width=-1,
        height=HEIGHT,
        no_menus=True,
        no_box_select=True,
        no_mouse_pos=True,
        no_inputs=True,
    ):
        dpg.add_plot_axis(dpg.mvXAxis, tag=f"{name}_x", no_gridlines=True, no_tick_marks=True)
        scale = dpg.mvPlotScale_Log10 if tab.logarithmic else dpg.mvPlotScale_Linear
        with dpg.plot_axis(dpg.mvYAxis, tag=f"{name}_y", scale=scale, no_tick_marks=True):
            for tag, shade in _series_tags(name, tab.n):
                dpg.add_line_series([], [], tag=tag, label=f"##{tag}", show=False)
                dpg.bind_item_theme(tag, f"line_{shade}")


def _fit_axes(name: str, tab: CurveTab, values: Sequence[float], steps: Sequence[float]) -> None:
    low, high = axis_range(values, tab.logarithmic)
    last = max(steps[-1], 1.0) if steps else 1.0  # history before the first step too
    # of a saved project that goes on only what is new is history
    first = min(steps[0], last - 1) if steps and steps[0] > MAX_EMPTY_FRACTION * last else 0.0
    dpg.set_axis_limits(f"{name}_y", low, high)
    dpg.set_axis_limits(f"{name}_x", first, last + 0.02 * (last - first))
    y = ticks(low, high, tab.logarithmic) if values else []
    dpg.set_axis_ticks(f"{name}_y", tuple((format_number(v), v) for v in y))
    fits = first + 0.88 * (last - first)  # a label at the edge would be cut
    x = [v for v in ticks(first, last, False) if v <= fits] if steps else []
    dpg.set_axis_ticks(f"{name}_x", tuple((tr("curves.step", step=v) if v else "0", v) for v in x))


def axis_range(values: Sequence[float], logarithmic: bool = False) -> tuple[float, float]:
    """Return limits that hold all finite ``values`` and are never empty."""
    finite = [v for v in values if _is_drawable(v, logarithmic)]
    low, high = (min(finite), max(finite)) if finite else (0.1, 1.0)
    if logarithmic:
        return low / 1.5, high * 1.5
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    return low - margin, high + margin


def ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    """Return two to four round values from ``low`` to ``high``; powers of ten if logarithmic."""
    if logarithmic:
        powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        if len(powers) >= 2:
            every = -(-len(powers) // 4)
            return [10.0**power for power in powers][::every]
    rough = (high - low) / 3
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(s for s in (unit, 2 * unit, 5 * unit, 10 * unit) if s >= 0.75 * rough)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step) + 1)]


def format_number(value: float) -> str:
    """Format a number briefly: 12.3 k, 24.5, 0.031 or 2e-05."""
    if abs(value) >= 1000:
        return format_count(value)
    return f"{value:.3g}"
