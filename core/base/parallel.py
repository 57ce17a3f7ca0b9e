"""Many cores by many calls: independent pieces of work, one thread each, torch single-threaded.

Measured on two cores shared with another busy process: one batch through torch's own OpenMP
threads ran 10 times slower than the same work in one thread, since every operation waits for the
slowest thread. Lanes meet once per call of `parallel_map` instead of once per operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

from core.base.cores import usable_cores
from core.base.malloc import tune_malloc

MOST = 16
"""Lanes are of no use beyond that. Measured by processor time of a training step (standard preset,
3000 rays): cut into 16, 32, 64 pieces it costs 2.5, 3.1, 5.4 times as much as in one, and one
thread adds up their gradients in 6, 9, 15 ms; so 16 cores take about 12 ms, and 32 take 13."""
A = TypeVar("A")
B = TypeVar("B")


def num_workers(device: torch.device) -> int:
    """How many pieces to cut work into: the usable cores of a CPU, up to `MOST`, and one on any
    other device."""
    return min(usable_cores(), MOST) if device.type == "cpu" else 1


@cache
def _pool() -> ThreadPoolExecutor:
    torch.set_num_threads(1)
    n = num_workers(torch.device("cpu"))
    tune_malloc(n)
    return ThreadPoolExecutor(n, thread_name_prefix="lane")


def parallel_map(function: Callable[[A], B], pieces: Iterable[A]) -> list[B]:
    """``function`` of each piece, in order, in parallel; never call it from within a lane."""
    pieces = list(pieces)
    pool = _pool()
    return [function(pieces[0])] if len(pieces) == 1 else list(pool.map(function, pieces))
