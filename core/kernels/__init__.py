"""The few functions that everything costly goes through, and the choice of who runs them.

`reference` defines the meaning of each and serves any device; `cpu` is the fast form for CPUs,
`cuda` for NVIDIA GPUs.

Not here: the sources of the CUDA kernels (``shaders/*.cu``) and the torch modules that call kernels
(`core.field`, `core.rendering`). Tests: ``tests/core/kernels``, which hold every backend to
`reference`.
"""

from __future__ import annotations

from types import ModuleType

import torch

from core.kernels import cpu, cuda, nvrtc, reference
from core.kernels.grid_layout import GridLayout

__all__ = ["GridLayout", "for_device", "why_slow"]


def for_device(device: torch.device) -> ModuleType:
    """The backend whose functions take tensors on ``device``."""
    if device.type == "cpu":
        return cpu
    return reference if why_slow(device) else cuda


def why_slow(device: torch.device) -> str | None:
    """Why `reference` has to serve ``device``, in one line; None if a faster backend does."""
    if device.type == "cpu":
        return None
    return nvrtc.why_not(device) if device.type == "cuda" else f"nothing faster for {device.type}"
