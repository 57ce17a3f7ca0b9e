"""The curves of a run, one kind at a time, with few ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from app import theme
from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import say
from app.text.status import count
from app.widgets.widgets import show_text
from core.protocol import TrainingStats

HEIGHT = 120
COLUMNS = 2
"""Of what lines are and where they stand now, above them, where these hide nothing."""
MOST_TERMS = len(theme.SERIES)

EMPTY = 0.2
"""A plot begins at step 0 unless so much of it would be empty."""


@dataclass(frozen=True)
class Kind:
    """A tab: its lines by name, at most ``n``, of which ``of`` tells the values. ``logarithmic``:
    these are of many sizes."""

    of: Callable[[TrainingStats], Mapping[str, float | None]]
    n: int = 1
    logarithmic: bool = False

    def lines(self, told: Sequence[TrainingStats]) -> dict[str, list[tuple[float, float]]]:
        """(step, value) of each line, in the order in which they began."""
        found: dict[str, list[tuple[float, float]]] = {}
        for stats in told:
            for name, value in self.of(stats).items():
                if value is not None and _usable(value, self.logarithmic):
                    found.setdefault(name, []).append((float(stats.step), value))
        return dict(islice(found.items(), self.n))


KINDS = {
    "psnr": Kind(lambda stats: {"psnr": stats.psnr}),
    "loss": Kind(lambda stats: stats.losses, MOST_TERMS, logarithmic=True),
    "inv_s": Kind(lambda stats: {"inv_s": stats.inv_s}),
    "levels": Kind(lambda stats: {"levels": stats.active_levels}),
    "speed": Kind(lambda stats: {"speed": stats.samples_per_s}),
}


class Curves:
    def __init__(self) -> None:
        self._drawn: object = None
        with dpg.tab_bar(tag="curves"):
            for name, kind in KINDS.items():
                with dpg.tab(tag=f"curve_{name}"):
                    _names(name, kind.n)
                    _plot(name, kind)

    def draw(self, state: AppState) -> None:
        """Show the history that ``state`` holds."""
        if state.history is self._drawn:
            return
        self._drawn = state.history
        told = state.history.told
        dpg.configure_item("curves", show=bool(told))  # nothing is told of a saved project
        for name, kind in KINDS.items():
            shown: list[float] = []
            lines = kind.lines(told)
            for (series, _), line in zip_longest(_series(name, kind.n), lines):
                points = lines.get(line or "", [])
                steps, values = [p[0] for p in points], [p[1] for p in points]
                dpg.set_value(series, [steps, values])
                now = f"{say(f'curves.{line}')} {plain(values[-1])}" if values else ""
                show_text(f"{series}_now", now)
                dpg.configure_item(series, show=bool(values))
                shown += values
            for i in range(0, kind.n, COLUMNS):
                dpg.configure_item(f"{name}_row_{i}", show=i < len(lines))
            dpg.configure_item(f"curve_{name}", show=bool(shown) or not told)
            _fit(name, kind, shown, [float(stats.step) for stats in told])


def _usable(value: float, logarithmic: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not logarithmic)


def _series(name: str, n: int) -> list[tuple[str, str]]:
    """Tags of the lines, and their colours."""
    return [(f"{name}_series_{i}", theme.SERIES[i]) for i in range(n)]


def _names(name: str, n: int) -> None:
    series = _series(name, n)
    with dpg.table(header_row=False):
        for _ in range(min(n, COLUMNS)):
            dpg.add_table_column()
        for i in range(0, n, COLUMNS):
            with dpg.table_row(tag=f"{name}_row_{i}", show=False):
                for tag, shade in series[i : i + COLUMNS]:
                    color = getattr(theme, f"PLOT_{shade.upper()}")
                    dpg.add_text("", tag=f"{tag}_now", color=color, show=False)


def _plot(name: str, kind: Kind) -> None:
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
        scale = dpg.mvPlotScale_Log10 if kind.logarithmic else dpg.mvPlotScale_Linear
        with dpg.plot_axis(dpg.mvYAxis, tag=f"{name}_y", scale=scale, no_tick_marks=True):
            for tag, shade in _series(name, kind.n):
                dpg.add_line_series([], [], tag=tag, label=f"##{tag}", show=False)
                dpg.bind_item_theme(tag, f"line_{shade}")


def _fit(name: str, kind: Kind, values: Sequence[float], steps: Sequence[float]) -> None:
    low, high = axis_range(values, kind.logarithmic)
    last = max(steps[-1], 1.0) if steps else 1.0  # told before the first step too
    # of a saved project that goes on only what is new is told
    first = min(steps[0], last - 1) if steps and steps[0] > EMPTY * last else 0.0
    dpg.set_axis_limits(f"{name}_y", low, high)
    dpg.set_axis_limits(f"{name}_x", first, last + 0.02 * (last - first))
    y = ticks(low, high, kind.logarithmic) if values else []
    dpg.set_axis_ticks(f"{name}_y", tuple((plain(v), v) for v in y))
    fits = first + 0.88 * (last - first)  # a label at the edge would be cut
    x = [v for v in ticks(first, last, False) if v <= fits] if steps else []
    dpg.set_axis_ticks(f"{name}_x", tuple((say("curves.step", step=v) if v else "0", v) for v in x))


def axis_range(values: Sequence[float], logarithmic: bool = False) -> tuple[float, float]:
    """Limits that hold all finite ``values``, never empty."""
    finite = [v for v in values if _usable(v, logarithmic)]
    low, high = (min(finite), max(finite)) if finite else (0.1, 1.0)
    if logarithmic:
        return low / 1.5, high * 1.5
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    return low - margin, high + margin


def ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    """Two to four round values between ``low`` and ``high``; powers of ten where there are two."""
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


def plain(value: float) -> str:
    """ "12.3 k", "24.5", "0.031" or "2e-05"."""
    if abs(value) >= 1000:
        return count(value)
    return f"{value:.3g}"
