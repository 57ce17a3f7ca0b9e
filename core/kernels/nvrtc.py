"""The kernels in shaders/ on an NVIDIA GPU: compiled once by NVRTC, kept on disk, launched.

Nothing but wheels is needed: NVRTC and its bindings come with torch's CUDA wheels, `cuda.core`
(NVIDIA's cuda-core) drives them.
"""

from __future__ import annotations

import importlib
import logging
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import shaders
from core.base.paths import kernel_cache

BLOCK = 128
"""Threads per block."""

_log = logging.getLogger("gradina.kernels")


@cache
def _cuda(part: str) -> Any:
    """A module of NVIDIA's bindings; late, since only machines with a GPU need to have them."""
    return importlib.import_module(f"cuda.{part}")


def source() -> str:
    """All of shaders/ as one piece of CUDA C++, the shared header first and once."""
    folder = Path(shaders.__path__[0])
    files = [folder / "common.cuh", *sorted(folder.glob("*.cu"))]
    parts = [f'#line 1 "{file.name}"\n{file.read_text("utf-8")}' for file in files]
    return "\n".join(parts).replace("#pragma once", "").replace('#include "common.cuh"', "")


def compile_for(architecture: str) -> Any:
    """The `cuda.core.ObjectCode` for ``architecture`` ("sm_90"), from the user's cache if the
    source, the compiler and the architecture are those of an earlier time. Needs no GPU.

    Raises what cuda.core raises where the package is missing or NVRTC refuses."""
    core, utils = _cuda("core"), _cuda("core.utils")
    options = core.ProgramOptions(name="gradina", arch=architecture)
    program = core.Program(source(), "c++", options)
    try:
        kept = utils.FileStreamProgramCache(kernel_cache())
    except OSError:
        kept = None  # a folder nobody may write to costs half a second per start, not the GPU
    return program.compile("cubin", cache=kept)


_compiled = cache(compile_for)


@cache
def _kernel(name: str, device: int) -> Any:
    major, minor = torch.cuda.get_device_capability(device)
    return _compiled(f"sm_{major}{minor}").get_kernel(name)


def launch(name: str, threads: int, *arguments: Tensor | int | float, rows: int = 1) -> None:
    """Queue ``threads`` threads (blockIdx.x, threadIdx.x) times ``rows`` (blockIdx.y) of a kernel
    on torch's current stream of the first tensor's device. Tensors are passed as pointers, ints as
    64 bits, floats as 32. Waits for nothing."""
    if threads * rows == 0:
        return
    device = next(a.device.index for a in arguments if isinstance(a, Tensor))
    passed = [
        a.data_ptr() if isinstance(a, Tensor) else np.float32(a) if isinstance(a, float) else a
        for a in arguments
    ]
    core = _cuda("core")
    config = core.LaunchConfig(grid=(-(-threads // BLOCK), rows), block=BLOCK)
    with torch.cuda.device(device):
        core.Device(device).set_current()  # autograd's threads may not have met the GPU yet
        core.launch(torch.cuda.current_stream(), config, _kernel(name, device), *passed)


@cache
def why_not(device: torch.device) -> str | None:
    """None if the kernels run on ``device``, which is tried once; else why not, in one line."""
    try:
        _try(device)
        return None
    except ImportError as error:
        reason = f"{error}; pip install 'gradina[cuda]'"
    except Exception as error:  # whatever a driver, a compiler or a GPU may say
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    _log.warning("The CUDA kernels cannot be used, torch's own take over: %s", reason)
    return reason


def _try(device: torch.device) -> None:
    """Run the smallest kernel there is; raises whatever goes wrong."""
    one, sum_ = torch.ones(1, device=device), torch.zeros(1, device=device)
    ray_starts = torch.arange(2, device=device)
    launch("composite", 1, one, one, ray_starts, torch.empty_like(one), sum_, 1, 1)
    if sum_.item() != 1:
        raise RuntimeError("a kernel ran and gave a wrong answer")
