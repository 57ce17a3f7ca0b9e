"""Parallel work on the CPU: independent shards, one thread each, with torch single-threaded.

Measured on two cores shared with another busy process: one batch through torch's own OpenMP
threads ran 10 times slower than the same work in one thread, since every operation waits for the
slowest thread. Workers wait for each other once per `parallel_map` instead of once per operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

from core.base.cores import usable_cores
from core.base.malloc import tune_malloc

MAX_WORKERS = 16
"""More workers do not help. Measured by processor time of a training step (standard preset, 3000
rays): 16, 32, 64 shards cost 2.5, 3.1, 5.4 times as much as one, and one thread sums their
gradients in 6, 9, 15 ms; so 16 cores take about 12 ms, and 32 take 13."""
A = TypeVar("A")
B = TypeVar("B")


def num_workers(device: torch.device) -> int:
    """Return the number of shards to divide work into.

    That is the number of usable cores of a CPU, at most `MAX_WORKERS`, and 1 on any other device.
    """
    return min(usable_cores(), MAX_WORKERS) if device.type == "cpu" else 1


@cache
def _pool() -> ThreadPoolExecutor:
    torch.set_num_threads(1)
    n = num_workers(torch.device("cpu"))
    tune_malloc(n)
    return ThreadPoolExecutor(n, thread_name_prefix="worker")


def parallel_map(function: Callable[[A], B], shards: Iterable[A]) -> list[B]:
    """Apply ``function`` to each shard in parallel; returns the results in order.

    A worker must not call it again: it would wait for itself.
    """
    shards = list(shards)
    pool = _pool()
    return [function(shards[0])] if len(shards) == 1 else list(pool.map(function, shards))
