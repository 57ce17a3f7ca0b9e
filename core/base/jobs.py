"""Long work in slices.

A task is a generator: it yields its `Progress` and returns its result. It blocks for at most about
0.1 s between two yields, so that its driver (the session, the command line, a test) stays
responsive, and it cleans up in ``finally``. A `Job` drives one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from core.base.interrupts import raise_if_swallowed
from core.base.text import NO_TEXT, Text

T = TypeVar("T")
Clock = Callable[[], float]
"""Seconds since some moment; replaced in tests."""
POLL_INTERVAL_S = 0.01


@dataclass(frozen=True)
class Progress:
    """The progress of a task."""

    fraction: float
    """in [0, 1]"""
    detail: Text = NO_TEXT
    """what the task is doing, a short phrase"""
    partial_result: object | None = None
    """a result so far, of a type that the task documents, if it has one"""


Task = Generator[Progress, None, T]


class Job(Generic[T]):
    """Drives a task, a slice at a time, until it has a result, raises or is cancelled."""

    def __init__(self, task: Task[T], clock: Clock = time.perf_counter) -> None:
        self._task, self._result, self._clock = task, None, clock
        self.progress = Progress(0.0)
        self.seconds = 0.0
        """time that its slices took so far"""
        self.is_over = False

    def advance(self) -> bool:
        """Run one slice.

        Returns:
            Whether that was the last one, so that there is a `result`.

        Raises:
            BaseException: what the task raises; the job is over then.
        """
        raise_if_swallowed()
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
        """The result of a job that `advance` has finished."""
        return self._result  # type: ignore[return-value]

    def cancel(self) -> None:
        """Stop the job; the task cleans up after itself."""
        self.is_over = True
        self._task.close()


def run_task(task: Task[T], on_progress: Callable[[Progress], None] = lambda _progress: None) -> T:
    """Run ``task`` to its end and return its result; close it if interrupted."""
    job = Job(task)
    try:
        while not job.advance():
            on_progress(job.progress)
        return job.result
    finally:
        job.cancel()


def subtask(task: Task[T], start: float, end: float, detail: Text = NO_TEXT) -> Task[T]:
    """Run ``task`` as a part of a longer one.

    Args:
        task: the part.
        start: progress of the longer task where the part begins.
        end: progress of the longer task where the part ends.
        detail: replaces the details of the part, if given.
    """
    try:
        while True:
            step = next(task)
            fraction = start + (end - start) * step.fraction
            yield replace(step, fraction=fraction, detail=detail or step.detail)
    except StopIteration as stop:
        return stop.value
    finally:
        task.close()


class Stages:
    """The stages of a longer task, each with its part of the progress."""

    def __init__(self, **weights: float) -> None:
        """Divide the progress.

        Args:
            **weights: of the stages, in order; proportional to the time that each takes.
        """
        total, weight = sum(weights.values()), 0.0
        self._spans: dict[str, tuple[float, float]] = {}
        for name, added in weights.items():
            start, weight = weight, weight + added
            self._spans[name] = start / total, weight / total

    def run(self, stage: str, task: Task[T], *, last: str = "") -> Task[T]:
        """Run ``task`` as one of the stages, or as all of them from ``stage`` to ``last``."""
        return subtask(task, self._spans[stage][0], self._spans[last or stage][1])


def run_in_thread(call: Callable[[], T], progress: Progress) -> Task[T]:
    """Run ``call`` in a thread of its own, yield ``progress`` meanwhile, and return its result.

    Closing the task drops the result but does not stop ``call``, which therefore must have no
    effect besides its result.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    while not future.done():
        with suppress(TimeoutError):
            future.exception(POLL_INTERVAL_S)
        yield progress
    return future.result()
