"""Texts made of the state: the status line, durations, sizes. Pure."""

from __future__ import annotations

import math
from pathlib import Path

from app.state import AppState
from app.text.catalog import localize, tr, tr_group
from core.protocol import TrainingStats


def format_duration(seconds: float | None) -> str:
    """Format seconds as 0:42, 12:05 or 3:20:00; "" if unknown."""
    if seconds is None:
        return ""
    minutes, s = divmod(round(max(seconds, 0.0)), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def format_count(number: float) -> str:
    """Format a number as 950, 12.3 k or 1.25 M."""
    if number < 1000:
        return f"{number:.0f}"
    return f"{number / 1e3:.1f} k" if number < 1e6 else f"{number / 1e6:.2f} M"


def format_bytes(n_bytes: int) -> str:
    """Format bytes as 12 kB, 3.4 MB, 34 MB or 1.2 GB."""
    if n_bytes < 1e6:
        return f"{n_bytes / 1e3:.0f} kB"
    if n_bytes < 1e9:
        return f"{n_bytes / 1e6:.{1 if n_bytes < 1e7 else 0}f} MB"
    return f"{n_bytes / 1e9:.1f} GB"


def phase_text(state: AppState) -> str:
    """Return what the training does now, without a full stop; "" if there is none."""
    stats = state.stats
    if state.task is not None and state.task.task == "warm_start":
        return tr("phase.renewing")
    if stats is None:
        return tr("phase.opening") if state.state == "opening" else ""
    if state.state == "finished":
        return tr("phase.done")
    level = min(math.ceil(stats.active_levels), stats.n_levels)
    what = (
        stats.phase
        if stats.phase != "surface"
        else ("refining" if level < stats.n_levels else "sharpening")
    )
    key = f"phase.{what}" if state.state == "training" else f"paused_phase.{what}"
    return tr(key, level=level, n_levels=stats.n_levels)


def memory_line(stats: TrainingStats) -> str:
    """Return the memory of the engine: now, peak and forecast."""
    return tr(
        "training.memory",
        now=format_bytes(stats.memory),
        peak=format_bytes(stats.memory_peak),
        forecast=format_bytes(stats.memory_forecast),
    )


def unsaved_text(state: AppState) -> str:
    """Return what closing without a save would lose; "" for nothing."""
    if not state.unsaved or state.opened is None:
        return ""
    name = Path(state.project or state.opened.path).name
    stats = state.stats
    if stats is None or not stats.step:
        return tr("unsaved.edits", name=name)
    return tr(
        "unsaved.both" if state.undo else "unsaved.training",
        stats.step,
        name=name,
        time=format_duration(stats.elapsed_s),
    )


def status_line(state: AppState) -> str:
    """Return the sentence below the viewport."""
    if state.engine != "ready":
        return tr(f"status.{state.engine}")
    task = state.task
    if task is not None:
        key = "task" + "_detail" * bool(task.detail) + "_left" * (task.eta_s is not None)
        what = tr_group("tasks").get(task.task, task.task.capitalize())
        return tr(
            f"status.{key}",
            doing=what,
            detail=localize(task.detail),
            left=format_duration(task.eta_s),
        )
    return _state_line(state)


def _state_line(state: AppState) -> str:
    name = Path(state.opened.path).name if state.opened else ""
    key = state.state
    if key == "training" and not phase_text(state):
        key = "training_begins"
    elif state.stats is None:
        key = {"paused": "paused_early", "finished": "finished_before"}.get(key, key)
    step = f"{state.stats.step:,}" if state.stats else ""
    return tr(f"status.{key}", name=name, doing=phase_text(state), step=step)


def short_path(path: str) -> str:
    """Return ``path`` with "~" for the home folder."""
    home = str(Path.home())
    return "~" + path.removeprefix(home) if Path(path).is_relative_to(home) else path
