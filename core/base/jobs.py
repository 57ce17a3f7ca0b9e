"""Long work in slices.

A task is a generator: it yields its `Progress` and returns its result. It never blocks for more
than about 0.1 s between two yields, so that the one who drives it (the session, the command line, a
test) stays responsive, and it cleans up in ``finally``. A `Job` drives one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from core.base.interrupts import raise_if_lost
from core.base.text import NO_TEXT, Text

T = TypeVar("T")
Clock = Callable[[], float]
"""Seconds since some moment; replaced in tests."""
POLL_S = 0.01


@dataclass(frozen=True)
class Progress:
    """How far a task is."""

    fraction: float
    """in [0, 1]"""
    detail: Text = NO_TEXT
    """a short phrase for people"""
    found: object | None = None
    """what the task has to show so far, as it documents, if anything"""


Task = Generator[Progress, None, T]


class Job(Generic[T]):
    """A task that is advanced a slice at a time. It is over when it has a result, has raised or was
    cancelled."""

    def __init__(self, task: Task[T], clock: Clock = time.perf_counter) -> None:
        self._task, self._result, self._clock = task, None, clock
        self.progress = Progress(0.0)
        self.seconds = 0.0
        """that its slices took so far"""
        self.is_over = False

    def advance(self) -> bool:
        """Work one slice; True when that was the last, so that there is a `result`. Raises what the
        task raises; the job is over then."""
        raise_if_lost()
        began = self._clock()
        try:
            self.progress = next(self._task)
        except StopIteration as stop:
            self._result, self.is_over = stop.value, True
        except BaseException:
            self.is_over = True
            raise
        finally:
            self.seconds += self._clock() - began
        return self.is_over

    @property
    def result(self) -> T:
        """Of a job that `advance` has finished."""
        return self._result  # type: ignore[return-value]

    def cancel(self) -> None:
        """Give it up; the task cleans up after itself."""
        self.is_over = True
        self._task.close()


def run(task: Task[T], on_progress: Callable[[Progress], None] = lambda progress: None) -> T:
    """Drive ``task`` to its end and return its result; closes it if interrupted."""
    job = Job(task)
    try:
        while not job.advance():
            on_progress(job.progress)
        return job.result
    finally:
        job.cancel()


def within(task: Task[T], start: float, end: float, detail: Text = NO_TEXT) -> Task[T]:
    """``task`` as a part of a longer one: its progress squeezed into [start, end], and told as
    ``detail`` if given."""
    try:
        while True:
            step = next(task)
            fraction = start + (end - start) * step.fraction
            yield replace(step, fraction=fraction, detail=detail or step.detail)
    except StopIteration as stop:
        return stop.value
    finally:
        task.close()


def in_background(call: Callable[[], T], progress: Progress) -> Task[T]:
    """The result of ``call``, which runs on a thread of its own meanwhile. Closing the task drops
    the result but does not stop ``call``, so that must have no effect besides its result."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    while not future.done():
        with suppress(TimeoutError):
            future.exception(POLL_S)
        yield progress
    return future.result()
