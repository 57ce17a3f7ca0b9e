"""A long task under way: advanced a slice at a time, cancelled by closing it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from core import protocol as m
from core.base.errors import MissingPhotosError, UserError
from core.base.jobs import Job, Task
from core.base.outputs import ForeignFileError
from core.base.text import text
from core.capture.open import DetectedInput
from core.capture.poses.solve import PartialPoses
from core.session.opening import poses_event

_CANCELLED = {
    "export": text("Cancelled; no mesh was written."),
    "video": text("Cancelled; no video was written."),
}


class RunningTask:
    """A long task under way.

    Args:
        name: as in `TaskProgress`.
        task: the work.
        done: takes the result.
        back_to: the state to return to when it fails or is cancelled; None for a task that runs
            beside the present state.
    """

    def __init__(
        self,
        name: m.TaskName,
        task: Task[Any],
        done: Callable[[Any], None],
        back_to: m.State | None,
    ) -> None:
        self.name: m.TaskName = name
        self.job, self.done = Job(task), done
        self.back_to: m.State | None = back_to
        self._began = time.monotonic()

    @property
    def progress(self) -> m.TaskProgress:
        """With the time left, once that can be told."""
        now, spent = self.job.progress, time.monotonic() - self._began
        eta = spent * (1 / now.fraction - 1) if now.fraction > 0.02 else None
        return m.TaskProgress(self.name, now.fraction, now.detail, eta)


class TaskSlot:
    """At most one long task at a time.

    Args:
        emit: receives the events of the task.
        enter: called whenever a task begins or ends, with the state that this leads to; None: the
            present one.
    """

    def __init__(
        self, emit: Callable[[m.Event], None], enter: Callable[[m.State | None], None]
    ) -> None:
        self._emit, self._enter = emit, enter
        self._running: RunningTask | None = None
        self._found: object | None = None

    @property
    def name(self) -> m.TaskName | None:
        """Of the task under way."""
        return self._running and self._running.name

    def begin(self, task: RunningTask) -> None:
        """Start ``task``; none may be under way."""
        self._running = task
        if task.back_to is None:
            self._enter(None)
        else:
            self._enter("solving" if task.name == "solve" else "opening")

    def advance(self) -> None:
        """One slice of the task under way; there must be one."""
        running = self._running
        assert running is not None
        try:
            if not running.job.advance():
                self._emit(running.progress)
                found = running.job.progress.partial_result
                if found is not self._found:
                    self._show(found)
                self._found = found
                return
            self._end()
            running.done(running.job.result)
            self._enter(None)
        except Exception as error:
            if self._running is running:
                self._end()
            self._enter(running.back_to)
            if not isinstance(error, UserError):
                raise
            self._emit(_failure(error, running.name))

    def _show(self, found: object) -> None:
        match found:
            case PartialPoses():
                self._emit(poses_event(found))
            case DetectedInput():
                self._emit(m.InputDetected(found.lines))
            case _:
                pass

    def cancel(self) -> None:
        """Stop what is under way, if anything is."""
        running = self._running
        if running is None:
            return
        running.job.cancel()
        self._end()
        self._enter(running.back_to)
        self._emit(m.Notice(_CANCELLED.get(running.name, text("Cancelled; nothing was changed."))))

    def _end(self) -> None:
        assert self._running is not None
        ended, self._running = self._running, None
        self._emit(m.TaskProgress(ended.name, 1.0))


def _failure(error: UserError, task: str) -> m.Failure:
    """``error`` with what a person can do about it from the window."""
    project = error.project if isinstance(error, MissingPhotosError) else ""
    replaces = str(error.path) if isinstance(error, ForeignFileError) else ""
    return m.Failure(error.text, task, project, replaces)
