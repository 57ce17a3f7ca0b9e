"""Many cores by many calls: independent pieces of work, one thread each, torch single-threaded.

Measured on two cores shared with another busy process: one batch through torch's own OpenMP
threads ran 10 times slower than the same work in one thread, since every operation waits for the
slowest thread. Lanes meet once per call of `lane_map` instead of once per operation.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import TypeVar

import torch

A = TypeVar("A")
B = TypeVar("B")

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT, _LARGE = 1 << 28, 1 << 25
"""Bytes: free memory that is kept, and the largest pieces that it serves (glibc's limit)."""


def count(device: torch.device) -> int:
    """How many pieces to cut work into: the cores of a CPU, one on any other device."""
    return min(os.cpu_count() or 1, 16) if device.type == "cpu" else 1


@cache
def _pool() -> ThreadPoolExecutor:
    torch.set_num_threads(1)
    _keep_memory()
    return ThreadPoolExecutor(count(torch.device("cpu")), thread_name_prefix="lane")


def _keep_memory() -> None:
    """Let pieces of some megabytes, which every operation of a step wants for a moment, be used
    again: glibc returns them to the system, which clears page after page when they are wanted anew,
    for a tenth of the time of a step of the warm-up."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # other libraries know no such choice
            libc = ctypes.CDLL(None)
            libc.mallopt(_TRIM_THRESHOLD, _KEPT)
            libc.mallopt(_MMAP_THRESHOLD, _LARGE)


def lane_map(function: Callable[[A], B], pieces: Iterable[A]) -> list[B]:
    """``function`` of each piece, in order, in parallel; never call it from within a lane."""
    pieces = list(pieces)
    pool = _pool()
    return [function(pieces[0])] if len(pieces) == 1 else list(pool.map(function, pieces))
