"""A long task under way: advanced a slice at a time, cancelled by closing it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.messages import State, TaskProgress
from core.tasks import Task


@dataclass
class RunningTask:
    """``name`` as in `TaskProgress`; ``done`` takes the result; ``back_to``: the state to return
    to when it fails or is cancelled, None for a task that runs beside the present state."""

    name: str
    task: Task[Any]
    done: Callable[[Any], None]
    back_to: State | None
    _began: float = field(default_factory=time.monotonic)
    found: object | None = None
    """what it has to show so far, as its progress says"""

    def advance(self) -> tuple[TaskProgress | None, Any]:
        """One slice: its progress, or at the end None and the result. Raises UserError."""
        try:
            progress = next(self.task)
        except StopIteration as stop:
            return None, stop.value
        spent = time.monotonic() - self._began
        self.found = progress.found
        eta = spent * (1 / progress.fraction - 1) if progress.fraction > 0.02 else None
        return TaskProgress(self.name, progress.fraction, progress.detail, eta), None
