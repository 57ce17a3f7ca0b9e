"""Work that would keep Python from doing anything else, in a process of its own.

Simplifying (igl) and unwrapping (xatlas) take seconds to minutes in one call that holds Python's
lock, so a thread beside the window's pictures would not do, and nothing can stop them but the end
of their process: ``python -m core.base.subprocess_call`` reads one pickled call from its standard
input and writes its result to its standard output. Both ends are the same program.
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
POLL_S = 0.05


def run_in_subprocess(
    call: Callable[..., T], *arguments: object, detail: Text, expected_s: float
) -> Task[T]:
    """``call(*arguments)``, a function of a module and plain values, in another process, which is
    killed when the task is closed. Progress follows ``expected_s``, since such calls tell nothing.

    Raises what the call raises, or UserError where its process ends without an answer (memory).
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
            thread.join(POLL_S)
            spent = time.monotonic() - began
            yield Progress(
                min(spent / expected_s, 1 - expected_s / (spent + 2 * expected_s)), detail
            )
    finally:
        process.kill()
        thread.join()
    if not answer or not answer[0]:
        raise UserError(
            text("This failed: {detail} ended unexpectedly", detail=detail),
            text("Ask for a coarser mesh"),
        )
    result, error = pickle.loads(answer[0])
    if error is not None:
        raise error
    return result


def main() -> None:
    """Answer one call; what libraries print goes to the error stream."""
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
