"""shaders/*.cu compiled by the machine's C++ compiler and run on the CPU, one thread at a time."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from core.kernels import nvrtc

SHIM = Path(__file__).with_name("host_shim.h")


def compiler() -> str | None:
    return next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)


def build(folder: Path) -> Callable[..., None]:
    """What takes the place of `nvrtc.launch` for tensors on the CPU."""
    text = f'#include "{SHIM}"\n{nvrtc.source()}\n'
    for name in re.findall(r"__global__ void (\w+)\(", text):
        text += (
            f'extern "C" void run_{name}(unsigned blocks, unsigned rows, unsigned block, '
            f"void** arguments) {{ run({name}, blocks, rows, block, arguments); }}\n"
        )
    source, library = folder / "kernels.cpp", folder / "kernels.so"
    source.write_text(text)
    command = [compiler() or "c++", "-std=c++17", "-O1", "-shared", "-fPIC", "-Wno-unknown-pragmas"]
    subprocess.run([*command, str(source), "-o", str(library)], check=True)
    kernels = ctypes.CDLL(str(library))

    def launch(name: str, threads: int, *arguments: Tensor | int | float, rows: int = 1) -> None:
        values = [_value(a) for a in arguments]
        pointers = (ctypes.c_void_p * len(values))(*map(ctypes.addressof, values))
        kernels[f"run_{name}"](-(-threads // nvrtc.BLOCK), rows, nvrtc.BLOCK, pointers)

    return launch


def _value(argument: Tensor | int | float) -> ctypes.c_int64 | ctypes.c_float:
    if isinstance(argument, Tensor):
        assert argument.is_contiguous()
        return ctypes.c_int64(argument.data_ptr())
    return ctypes.c_float(argument) if isinstance(argument, float) else ctypes.c_int64(argument)
