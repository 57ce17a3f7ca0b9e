"""What this machine has, what will be used, and why."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from typing import Any

import torch

from core.device import choose_device
from core.kernels import for_device, why_slow
from core.lanes import count
from core.presets import default_preset

_PACKAGES = ("torch", "numpy", "numba", "dearpygui", "pycolmap", "trimesh", "PyMCubes", "imageio")


def examine() -> dict[str, Any]:
    """Facts by name, in the order they are worth reading."""
    device = choose_device("auto")
    kernels = for_device(device).__name__.rsplit(".", 1)[-1]
    slow = why_slow(device)
    why = (
        "an NVIDIA GPU was found" if device.type == "cuda"
        else "no NVIDIA GPU can be used by this torch"
    )
    return {
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "cores": os.cpu_count(),
        "memory_gb": _memory_gb(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "device": f"{device.type}, because {why}",
        "kernels": f"{kernels}, " + (f"because {slow}" if slow else f"in {count(device)} lanes"),
        "preset": default_preset(device.type),
        "display": _display(),
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _memory_gb() -> float | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)


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
