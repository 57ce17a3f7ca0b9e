"""The few functions that everything costly goes through, and the choice of who runs them.

`reference` defines the meaning of each and serves any device; `cpu` is the fast form for CPUs.
"""

from __future__ import annotations

from types import ModuleType

import torch

from . import cpu, reference
from .layout import GridLayout

__all__ = ["GridLayout", "for_device"]


def for_device(device: torch.device) -> ModuleType:
    """The backend whose functions take tensors on ``device``."""
    return cpu if device.type == "cpu" else reference
