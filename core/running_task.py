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

    def advance(self) -> TaskProgress:
        """One slice; raises StopIteration with the result at the end, UserError on failure."""
        progress = next(self.task)
        spent = time.monotonic() - self._began
        eta = spent * (1 / progress.fraction - 1) if progress.fraction > 0.02 else None
        return TaskProgress(self.name, progress.fraction, progress.detail, eta)
