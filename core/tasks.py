"""Long work as generators: progress is yielded, the result returned, ``close()`` cancels.

A task never blocks for more than about 0.1 s between two yields, so that the one who drives it
(the session, the command line, a test) stays responsive; it cleans up in ``finally``.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """How far a task is. ``fraction`` in [0, 1]; ``detail`` is a short phrase for people."""

    fraction: float
    detail: str = ""


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
            yield Progress(start + (end - start) * step.fraction, step.detail)
    except StopIteration as stop:
        return stop.value
    finally:
        task.close()
