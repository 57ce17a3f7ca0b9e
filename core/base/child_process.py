"""Child processes that run parts of this program.

They must import this program and nothing that lies in the current directory, which is often a
folder of somebody's photos: ``python -m`` and ``python -c`` put it first on the import path. A
child ignores the signals that a terminal or a service manager sends to the whole group; its parent
decides when it ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

from core.base.interrupts import SIGNALS
from core.base.program import ROOT


def start_module(module: str, **environment: str) -> subprocess.Popen[bytes]:
    """Run ``module`` in a child process, with pipes to its standard input and from its output.

    Args:
        module: its dotted name.
        **environment: environment variables to add.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        env=_environment() | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def start_function(
    function: Callable[..., None], arguments: tuple[Any, ...], name: str
) -> BaseProcess:
    """Run ``function`` in a child process that ends with this one, by `multiprocessing`."""
    process = multiprocessing.get_context("spawn").Process(
        target=function, args=arguments, name=name, daemon=True
    )
    with safe_imports():
        process.start()
    return process


@contextmanager
def safe_imports() -> Generator[None]:
    """Keep child processes that libraries start from importing from the current directory."""
    before = os.environ.copy()
    _set_environment(_environment())
    try:
        yield
    finally:
        _set_environment(before)


def ignore_signals() -> None:
    """Ignore `SIGNALS`, in a child process that its parent ends."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _environment() -> dict[str, str]:
    return os.environ.copy() | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}


def _set_environment(wanted: dict[str, str]) -> None:
    for name in ("PYTHONPATH", "PYTHONSAFEPATH"):
        if name in wanted:
            os.environ[name] = wanted[name]
        else:
            os.environ.pop(name, None)
