"""Which processor does the work."""

from __future__ import annotations

import torch

from core.base.errors import UserError
from core.base.text import text


def choose_device(name: str) -> torch.device:
    """ "auto", "cpu" or "cuda" → the device. Raises UserError for a GPU that is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            text("No NVIDIA GPU can be used here"), text("Use --device cpu, or see `doctor`")
        )
    if name not in ("cpu", "cuda"):
        raise UserError(
            text("There is no device {name}", name=name), text("Choose auto, cpu or cuda")
        )
    return torch.device(name)
