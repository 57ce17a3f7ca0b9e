"""How long a call takes on any device."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch


def seconds(call: Callable[[], object], device: torch.device, repeats: int = 5) -> float:
    """Return the median of ``repeats`` calls, seconds, after one that does not count."""
    timed(call, device)
    return statistics.median(timed(call, device) for _ in range(repeats))


def timed(call: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of one call, with the work that it left to the device."""
    began = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began
