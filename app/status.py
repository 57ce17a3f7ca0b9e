"""Words for people: the one sentence that says what is going on, durations, sizes. Pure."""

from __future__ import annotations

import math
from pathlib import Path

from app.state import AppState
from core.messages import TrainingStats


def duration(seconds: float | None) -> str:
    """ "0:42", "12:05" or "3:20:00"; "" when unknown."""
    if seconds is None:
        return ""
    minutes, s = divmod(round(max(seconds, 0.0)), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def count(number: float) -> str:
    """ "950", "12.3 k" or "1.25 M"."""
    if number < 1000:
        return f"{number:.0f}"
    return f"{number / 1e3:.1f} k" if number < 1e6 else f"{number / 1e6:.2f} M"


def size(n_bytes: int) -> str:
    """ "12 kB", "3.4 MB" or "1.2 GB"."""
    if n_bytes < 1e6:
        return f"{n_bytes / 1e3:.0f} kB"
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.1f} GB"


def doing(state: AppState) -> str:
    """What the training is about at this moment, without a full stop; "" while there is none."""
    stats = state.stats
    if stats is None:
        return "Reading the photos" if state.state == "opening" else ""
    level = min(math.ceil(stats.active_levels), stats.n_levels)
    if stats.phase == "density":
        words = "Finding the rough shape (density)"
    elif stats.phase == "settling":
        words = "Turning it into a surface"
    elif level < stats.n_levels:
        words = f"Refining: level {level} of {stats.n_levels}"
    else:
        words = f"Sharpening the finest details, all {stats.n_levels} levels"
    match state.state:
        case "training":
            return words
        case "finished":
            return "Done: export the mesh, or train on"
        case _:
            return f"Paused while {words[0].lower()}{words[1:]}"


def memory_line(stats: TrainingStats) -> str:
    """Memory now, at its peak, and as it was forecast."""
    return (f"{size(stats.memory)} now, {size(stats.memory_peak)} at most, "
            f"{size(stats.memory_forecast)} forecast")


def lost_without_saving(state: AppState) -> str:
    """What closing without a save would lose, as a sentence; "" for nothing."""
    if not state.unsaved or state.opened is None:
        return ""
    name = Path(state.project or state.opened.path).name
    parts = []
    if state.stats is not None and state.stats.step:
        parts.append(f"{duration(state.stats.elapsed_s)} of training ({state.stats.step:,} steps)")
    if state.undo or not parts:
        parts.append("your edits")
    return f"{' and '.join(parts).capitalize()} of {name} {_are(parts)} not saved in a project."


def _are(parts: list[str]) -> str:
    return "are" if len(parts) > 1 or parts[0].endswith("s") else "is"


def status_line(state: AppState) -> str:
    """What is going on, in one plain sentence."""
    if state.engine == "starting":
        return "Starting the engine…"
    if state.engine == "lost":
        return "The engine has stopped. Open something to start it again."
    if state.task is not None:
        verb = {"open": "Reading", "solve": "Solving the cameras", "export": "Exporting the mesh"}
        detail = f": {state.task.detail}" if state.task.detail else ""
        left = f", {duration(state.task.eta_s)} left" if state.task.eta_s is not None else ""
        return f"{verb.get(state.task.task, state.task.task.capitalize())}{detail}{left}."
    return _resting_line(state)


def _resting_line(state: AppState) -> str:
    name = Path(state.opened.path).name if state.opened else ""
    step = f" at step {state.stats.step}" if state.stats else ""
    match state.state:
        case "empty":
            return "Nothing is open."
        case "opening":
            return "Opening…"
        case "solving":
            return "Solving the cameras…"
        case "ready":
            return f"{name} is open. Press Start to train its surface."
        case "training":
            return f"{doing(state) or 'Training'}{step}: {name}."
        case "paused":
            return f"{name} is paused{step}. Resume goes on from here."
        case "finished":
            return f"{name} is trained{step}. Export the mesh, or train on."
