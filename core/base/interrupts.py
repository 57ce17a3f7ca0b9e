"""Signals that ask the program to end: Ctrl+C, SIGTERM, and SIGHUP of a closing terminal.

The first one raises `Interrupted` in the main thread, so that work is saved and files are cleaned
up on the way out; a second one ends the process at once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
SIGNAL_STATUS = 128
"""Exit status of a process that a signal ended, less the number of the signal."""
GRACE_PERIOD_S = 1.0
"""Longest time that a `defer_signals` block goes on after a signal."""


class Interrupted(KeyboardInterrupt):
    """The process was asked to end by the signal ``number``."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status of a process that this signal ended."""
        return SIGNAL_STATUS + self.number

    def __str__(self) -> str:
        return signal.Signals(self.number).name


class _Pending:
    """The state of signal handling in this process."""

    number: int | None = None
    """of the signal that came"""
    raised = False
    """whether it was raised as `Interrupted`"""
    depth = 0
    """of nested `defer_signals` blocks"""


_pending = _Pending()


@contextmanager
def catch_signals() -> Generator[None]:
    """Raise `Interrupted` in the main thread for each of `SIGNALS`.

    Signals that the process was started to ignore (as under nohup) stay ignored. In other threads
    the block changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _pending.number, _pending.raised, _pending.depth = None, False, 0
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, _on_signal)
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, _on_alarm)
        yield
    finally:
        _pending.number, _pending.raised = None, False
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def defer_signals() -> Generator[None]:
    """Defer signals until the end of the block, or for at most `GRACE_PERIOD_S`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raise_if_swallowed()
    _pending.depth += 1
    try:
        yield
    finally:
        _pending.depth -= 1
    if _pending.depth == 0 and _pending.number is not None and not _pending.raised:
        _raise()


def raise_if_swallowed() -> None:
    """Raise `Interrupted` again if something caught it and went on.

    Libraries catch every exception in places, as while they are imported. Called before each slice
    of work.
    """
    if _pending.raised and threading.current_thread() is threading.main_thread():
        _raise()


@contextmanager
def preserve_handlers() -> Generator[None]:
    """Restore the signal handlers at the end of the block.

    Libraries install handlers when they are imported (pycolmap's prints a stack trace on SIGTERM).
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    if threading.current_thread() is threading.main_thread():
        for number, handler in before.items():
            signal.signal(number, handler)


def _on_signal(number: int, _frame: FrameType | None) -> None:
    if _pending.number is not None:
        os._exit(SIGNAL_STATUS + number)
    _pending.number = number
    if _pending.depth == 0:
        _raise()
    elif hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, GRACE_PERIOD_S)


def _on_alarm(_number: int, _frame: FrameType | None) -> None:
    if _pending.number is not None and not _pending.raised:
        _raise()


def _raise() -> None:
    assert _pending.number is not None
    _pending.raised = True
    raise Interrupted(_pending.number)
