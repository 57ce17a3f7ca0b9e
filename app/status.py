"""Words for people: the one sentence that says what is going on, durations, sizes. Pure."""

from __future__ import annotations

from pathlib import Path

from app.state import AppState


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
    """ "12 kB" or "3.4 MB"."""
    return f"{n_bytes / 1e3:.0f} kB" if n_bytes < 1e6 else f"{n_bytes / 1e6:.1f} MB"


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
            return f"Training {name}{step}."
        case "paused":
            return f"{name} is paused{step}. Resume goes on from here."
        case "finished":
            return f"{name} is trained{step}. Export the mesh, or train on."
