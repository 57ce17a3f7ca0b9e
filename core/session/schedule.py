"""What a session works on next: of the kinds of work that are due, the first that has any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Slice(NamedTuple):
    """A kind of work that is done a slice at a time."""

    name: str
    is_due: Callable[[], bool]
    work: Callable[[], bool]
    """does a slice; False where there was nothing to do"""


def always() -> bool:
    """Whether work is due that is due at any time."""
    return True


def work_first_due(schedule: Sequence[Slice]) -> bool:
    """Do one slice of the first kind in ``schedule`` that is due and has something to do.

    Returns:
        False where none had.
    """
    return any(kind.work() for kind in schedule if kind.is_due())
