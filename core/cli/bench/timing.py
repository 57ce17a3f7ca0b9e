"""How long a call takes on any device."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch


def seconds(call: Callable[[], object], device: torch.device, repeats: int = 5) -> float:
    """Median of ``repeats`` calls, after one that does not count."""
    timed(call, device)
    return statistics.median(timed(call, device) for _ in range(repeats))


def timed(call: Callable[[], object], device: torch.device) -> float:
    """Of one call, the work it left to the device included."""
    began = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began
