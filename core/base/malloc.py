"""Settings of glibc's malloc for training.

The defaults cost time and memory. malloc returns blocks of some megabytes to the system at once,
though each operation of a training step needs such a block for a moment, and the system then clears
them page by page: with these blocks kept, a run makes 1.2 times the steps in its time. malloc keeps
smaller blocks, and several threads that use arrays of changing sizes fragment the heap: after some
minutes of opening, training and resetting, 185 MB were in use and 240 MB free, and growing. Each
thread has an arena of its own, whose free blocks no other thread uses: with few arenas the process
keeps its size.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from contextlib import suppress

TRIM_INTERVAL_S = 15.0
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_TRIM_BYTES, _MMAP_BYTES = 1 << 28, 1 << 25
"""Free memory that is kept, and the largest blocks that it serves (the maximum of glibc). Both are
set, since setting one stops glibc from adapting the other."""


def tune_malloc(n_arenas: int) -> None:
    """Keep freed blocks of some megabytes, and limit the number of arenas to ``n_arenas``."""
    mallopt = _libc_function("mallopt")
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _TRIM_BYTES)
        mallopt(_MMAP_THRESHOLD, _MMAP_BYTES)
        mallopt(_ARENA_MAX, n_arenas)


class MallocTrimmer:
    """Returns free memory to the system, at most every `TRIM_INTERVAL_S`."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._trim = _libc_function("malloc_trim")

    def trim_if_due(self) -> None:
        """Return free memory to the system; 200 MB take about 50 ms."""
        now = time.monotonic()
        if self._trim is not None and now > self._last + TRIM_INTERVAL_S:
            self._last = now
            self._trim(0)


def _libc_function(name: str) -> Callable[..., int] | None:
    """Return a function of glibc; None where there is no glibc."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            return getattr(ctypes.CDLL(None), name)
    return None
