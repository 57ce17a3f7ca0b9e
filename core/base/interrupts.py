"""Signals that ask the program to end: Ctrl+C, SIGTERM, and SIGHUP of a closing terminal.

The first one raises `Interrupted` in the main thread, so that work is saved and files are cleaned
up on the way out; a second one ends the process at once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
SIGNALLED = 128
"""Exit statuses above it tell of a signal."""
PATIENCE_S = 1.0
"""So long work that should not be interrupted goes on after a signal."""


class Interrupted(KeyboardInterrupt):
    """The process was asked to end by the signal ``number``."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status by which a shell tells of a signal."""
        return SIGNALLED + self.number

    def __str__(self) -> str:
        return signal.Signals(self.number).name


class _Pending:
    """The signal that came, whether it was raised, and how deep `uninterrupted` blocks are."""

    number: int | None = None
    raised = False
    depth = 0


_pending = _Pending()


@contextmanager
def caught_signals() -> Iterator[None]:
    """All of `SIGNALS` raise `Interrupted`, but for those that this process is to ignore (as under
    nohup). In the main thread; elsewhere nothing changes."""
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
def uninterrupted() -> Iterator[None]:
    """A signal waits until the end of the block, `PATIENCE_S` at most."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raise_if_lost()
    _pending.depth += 1
    try:
        yield
    finally:
        _pending.depth -= 1
    if _pending.depth == 0 and _pending.number is not None and not _pending.raised:
        _raise()


def raise_if_lost() -> None:
    """Raise `Interrupted` again where work goes on although it was raised: libraries catch every
    exception in places, as while they are imported. Called before each slice of work."""
    if _pending.raised and threading.current_thread() is threading.main_thread():
        _raise()


@contextmanager
def kept_handlers() -> Iterator[None]:
    """Signals mean afterwards what they meant before: libraries install handlers of their own when
    they are imported (pycolmap's prints a stack trace on SIGTERM)."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    if threading.current_thread() is threading.main_thread():
        for number, handler in before.items():
            signal.signal(number, handler)


def _on_signal(number: int, frame: FrameType | None) -> None:
    if _pending.number is not None:
        os._exit(SIGNALLED + number)
    _pending.number = number
    if _pending.depth == 0:
        _raise()
    elif hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)


def _on_alarm(number: int, frame: FrameType | None) -> None:
    if _pending.number is not None and not _pending.raised:
        _raise()


def _raise() -> None:
    assert _pending.number is not None
    _pending.raised = True
    raise Interrupted(_pending.number)
