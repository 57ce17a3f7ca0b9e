"""What this machine has, what Gradina uses of it, and why."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from typing import Any

import psutil
import torch

from core.base.cores import describe_cores
from core.base.device import choose_device
from core.base.parallel import num_workers
from core.base.program import version
from core.config.run import RunOptions
from core.field.methods import METHODS
from core.geometry.cameras import Intrinsics
from core.kernels import for_device, why_slow
from core.training.memory_forecast import budget, forecast
from core.training.presets import PRESETS, default_preset, run_config

_PACKAGES = ("torch", "numpy", "numba", "dearpygui", "pycolmap", "trimesh", "PyMCubes", "imageio")
_PHOTO = Intrinsics(4000, 3000, 3000.0, 3000.0, 2000.0, 1500.0)
"""A photo of 12 megapixels, for the forecast."""


def examine() -> dict[str, Any]:
    """Return facts by name, the most useful first."""
    device = choose_device("auto")
    kernels = for_device(device).__name__.rsplit(".", 1)[-1]
    slow = why_slow(device)
    why = (
        "an NVIDIA GPU was found"
        if device.type == "cuda"
        else "no NVIDIA GPU can be used by this torch"
    )
    return {
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "cores": str(describe_cores()),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "memory_for_training_gb": round(budget(device) / 1e9, 1),
        "forecast_of_100_photos": {
            name: str(forecast(config, [_PHOTO] * 100, True, device))
            for name, config in PRESETS.items()
        },
        "the_same_by_method": {
            name: str(
                forecast(
                    run_config(RunOptions(method=name), device.type), [_PHOTO] * 100, True, device
                )
            )
            for name in METHODS
        },
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "device": f"{device.type}, because {why}",
        "kernels": f"{kernels}, "
        + (f"because {slow}" if slow else f"with {num_workers(device)} workers"),
        "preset": default_preset(device.type),
        "display": _display(),
        "versions": {"gradina": version()} | {name: _version(name) for name in _PACKAGES},
    }


def _display() -> str:
    if sys.platform != "linux":
        return "the desktop's"
    name = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    return name or "none: the window cannot open, `reconstruct` and `demo --headless` work"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"
