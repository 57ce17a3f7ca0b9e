"""Memory that was freed: kept for the next step, and given back to the system now and then.

By itself the C library does neither well. Pieces of some megabytes, which every operation of a step
wants for a moment, it returns at once, and the system clears page after page when they are wanted
anew: kept, they let a run make 1.2 times the steps in its time. Smaller blocks it keeps: work in
several threads on arrays of ever other sizes leaves so many holes that after some minutes of
opening, training and resetting more lay free than was in use (measured: 185 MB in use, 240 MB free,
and growing). Each thread begins a heap of its own, with holes of its own, that no other fills: with
few of them it stays as large as it was.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from contextlib import suppress

EVERY_S = 15.0
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEPT, _LARGE = 1 << 28, 1 << 25
"""Bytes: free memory that is kept, and the largest pieces that it serves (the most there can be).
Both are set, since setting one stops the library from fitting the other to the program."""


def tune_malloc(n_heaps: int) -> None:
    """From now on pieces of some megabytes that are freed serve again, and threads share
    ``n_heaps`` heaps."""
    set_to = _of_libc("mallopt")
    if set_to is not None:
        set_to(_TRIM_THRESHOLD, _KEPT)
        set_to(_MMAP_THRESHOLD, _LARGE)
        set_to(_ARENA_MAX, n_heaps)


class MallocTrimmer:
    """Tidied at most every `EVERY_S`."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._trim = _of_libc("malloc_trim")

    def tidy(self) -> None:
        """Give back what lies free; 200 MB of it take about 50 ms."""
        now = time.monotonic()
        if self._trim is not None and now > self._last + EVERY_S:
            self._last = now
            self._trim(0)


def _of_libc(name: str) -> Callable[..., int] | None:
    """A function of the C library; None where it is not GNU's."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            return getattr(ctypes.CDLL(None), name)
    return None
