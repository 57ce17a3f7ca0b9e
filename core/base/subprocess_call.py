"""Calls that hold the global interpreter lock for long, in a child process.

Simplification (igl) and unwrapping (xatlas) take seconds to minutes in one call that holds Python's
lock, so that a thread would stop the preview, and only the end of their process can stop them.
``python -m core.base.subprocess_call`` reads one pickled call from its standard input and writes
its result to its standard output. Both ends are the same program.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from core.base.child_process import ignore_signals, start_module
from core.base.errors import UserError
from core.base.jobs import Progress, Task
from core.base.text import Text, text

T = TypeVar("T")
POLL_INTERVAL_S = 0.05


def run_in_subprocess(
    call: Callable[..., T], *arguments: object, detail: Text, expected_s: float
) -> Task[T]:
    """Run ``call(*arguments)`` in a child process, which is killed when the task is closed.

    Args:
        call: a function of a module.
        *arguments: values that can be pickled.
        detail: what the call does, for the progress.
        expected_s: expected duration, which the progress follows.

    Raises:
        Exception: what the call raises.
        UserError: where the process ends without a result, as when memory runs out.
    """
    process = start_module("core.base.subprocess_call")
    answer: list[bytes] = []
    job = pickle.dumps((call.__module__, call.__name__, arguments), pickle.HIGHEST_PROTOCOL)
    thread = threading.Thread(target=lambda: answer.append(process.communicate(job)[0]))
    thread.daemon = True
    began = time.monotonic()
    try:
        thread.start()
        while thread.is_alive():
            thread.join(POLL_INTERVAL_S)
            spent = time.monotonic() - began
            yield Progress(
                min(spent / expected_s, 1 - expected_s / (spent + 2 * expected_s)), detail
            )
    finally:
        process.kill()
        thread.join()
    if not answer or not answer[0]:
        raise UserError(
            text("A process ended unexpectedly ({detail})", detail=detail),
            text("Choose a lower mesh resolution"),
        )
    result, error = pickle.loads(answer[0])
    if error is not None:
        raise error
    return result


def main() -> None:
    """Run one call in the child process; what libraries print goes to the error stream."""
    ignore_signals()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: end with the parent
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    module, name, arguments = pickle.load(sys.stdin.buffer)
    result, failure = None, None
    try:
        result = getattr(importlib.import_module(module), name)(*arguments)
    except Exception as error:
        failure = error
    pickle.dump((result, failure), out, pickle.HIGHEST_PROTOCOL)
    out.close()


if __name__ == "__main__":
    main()
