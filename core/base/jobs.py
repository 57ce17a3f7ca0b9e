"""Long work as generators: progress is yielded, the result returned, ``close()`` cancels.

A task never blocks for more than about 0.1 s between two yields, so that the one who drives it
(the session, the command line, a test) stays responsive; it cleans up in ``finally``.
"""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

T = TypeVar("T")
POLL_S = 0.01


@dataclass(frozen=True)
class Progress:
    """How far a task is. ``fraction`` in [0, 1]; ``detail`` is a short phrase for people;
    ``found`` what the task has to show so far, as it documents, if anything."""

    fraction: float
    detail: str = ""
    found: object | None = None


Task = Generator[Progress, None, T]


def run(task: Task[T], on_progress: Callable[[Progress], None] = lambda progress: None) -> T:
    """Drive ``task`` to its end and return its result; closes it if interrupted."""
    try:
        while True:
            on_progress(next(task))
    except StopIteration as stop:
        return stop.value
    finally:
        task.close()


def within(task: Task[T], start: float, end: float) -> Task[T]:
    """``task`` as a part of a longer one: its progress squeezed into [start, end]."""
    try:
        while True:
            step = next(task)
            yield replace(step, fraction=start + (end - start) * step.fraction)
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
