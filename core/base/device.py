"""The choice between CPU and GPU."""

from __future__ import annotations

import torch

from core.base.errors import UserError
from core.base.text import text


def choose_device(name: str) -> torch.device:
    """Return the device named "auto", "cpu" or "cuda".

    Raises:
        UserError: where there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            text("There is no usable NVIDIA GPU"),
            text("Use --device cpu; `doctor` shows the reason"),
        )
    if name not in ("cpu", "cuda"):
        raise UserError(
            text("There is no device {name}", name=name), text("Choose auto, cpu or cuda")
        )
    return torch.device(name)
