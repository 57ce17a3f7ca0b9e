"""The worker process: drives one `Session`, with commands coming in and events going out.

Started with "spawn" by the window. It ends when told to (`Shutdown`), when the window's end of
the pipe closes, or at the latest two seconds after the window's process is gone.
"""

from __future__ import annotations

import importlib
import logging
import logging.handlers
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
from platformdirs import user_log_path

from core.base.cores import limit_library_threads
from core.base.interrupts import Interrupted, catch_signals
from core.base.malloc import MallocTrimmer
from core.base.text import text
from core.geometry.view import View
from core.protocol import (
    Cancel,
    Command,
    Event,
    Failure,
    Pause,
    PhotoReady,
    PreviewReady,
    Shutdown,
    StateChanged,
    coalesce,
    decode_command,
    encode,
)
from core.protocol.pixel_ring import PHOTOS, PreviewRing

Show = Callable[[np.ndarray, View, bool, float, np.ndarray | None], None]
CLOSING_SECONDS = 1.5
_log = logging.getLogger("gradina.worker")


class SessionLike(Protocol):
    """What the worker asks of a session; see `core.session.session.Session`."""

    def handle(self, command: Command) -> None:
        """Obey ``command``."""
        ...

    def work(self) -> bool:
        """Do one slice of work; False when there is none."""
        ...

    def close(self) -> None:
        """Save what would be lost and free everything."""
        ...


def log_path() -> Path:
    """Where window and worker write what went wrong."""
    return user_log_path("gradina") / "gradina.log"


def main(connection: Connection, ring_name: str, session: str, device: str) -> None:
    """Entry of the worker process. ``session`` names the factory, as "module:attribute"."""
    _lower_priority()
    limit_library_threads()
    start_log()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    ring = PreviewRing.attach(ring_name)
    try:
        with catch_signals():
            _Worker(connection, ring, session, device).run()
    except Interrupted:
        pass  # the work is saved; a signal to the whole group closes the window too
    except Exception as error:
        _log.exception("the worker cannot go on")
        connection.send_bytes(encode(_failure(error, "starting the engine")))
        raise SystemExit(1) from None
    finally:
        ring.close()


class _Worker:
    def __init__(
        self, connection: Connection, ring: PreviewRing, session: str, device: str
    ) -> None:
        self._connection = connection
        self._ring = ring
        self._state = "empty"
        self._stalled = False
        module, _, attribute = session.partition(":")
        factory = getattr(importlib.import_module(module), attribute)
        self._session: SessionLike = factory(
            self._emit, self._show, device, show_photo=self._show_photo
        )

    def run(self) -> None:
        """Alternate commands and work until told to end; then let the session save and close."""
        busy, heap = True, MallocTrimmer()
        try:
            while True:
                commands = self._commands(wait_for_one=not busy)
                for command in commands:
                    if isinstance(command, Shutdown):
                        return
                    self._stalled = False
                    self._guarded(lambda command=command: self._session.handle(command), command)
                busy = not self._stalled and bool(self._guarded(self._session.work))
                if not commands:  # nobody waits for a picture
                    heap.trim_if_due()
        except EOFError:
            _exit_after(CLOSING_SECONDS)  # the window is gone: save if that is quick
        finally:
            self._guarded(self._session.close)

    def _commands(self, wait_for_one: bool) -> list[Command]:
        """Take all commands that have arrived, without those that a newer one replaces.

        Raises:
            EOFError: the window has gone.
        """
        commands: list[Command] = []
        try:
            while self._connection.poll(None if wait_for_one and not commands else 0):
                commands.append(decode_command(self._connection.recv_bytes()))
        except OSError:
            raise EOFError from None
        except msgspec.DecodeError:
            _log.exception("a command could not be read")
        return coalesce(commands)

    def _guarded(self, call: Callable[[], object], command: Command | None = None) -> object:
        """Call into the session; a bug in it is logged and reported, and its work is paused."""
        try:
            return call()
        except Exception as error:
            doing = type(command).__name__.lower() if command else self._state
            _log.exception("while %s", doing)
            self._emit(_failure(error, doing))
            self._hold(command)
            return False

    def _hold(self, command: Command | None) -> None:
        """After an unexpected error: stop what was under way until the person acts again."""
        self._stalled = True
        stop = {"training": Pause(), "opening": Cancel(), "solving": Cancel()}.get(self._state)
        if stop is not None and command is None:
            self._guarded(lambda: self._session.handle(stop), stop)

    def _emit(self, event: Event) -> None:
        if isinstance(event, StateChanged):
            self._state = event.state
        with suppress(OSError):  # a window that is gone is noticed where commands are read
            self._connection.send_bytes(encode(event))

    def _show(
        self,
        image: np.ndarray,
        view: View,
        final: bool,
        render_ms: float,
        distances: np.ndarray | None = None,
    ) -> None:
        slot, sequence, width, height = self._ring.write(image, distances=distances)
        self._emit(
            PreviewReady(
                view.view_id,
                slot,
                sequence,
                width,
                height,
                final,
                float(render_ms),
                has_distances=distances is not None,
            )
        )

    def _show_photo(self, image: np.ndarray, view: View) -> None:
        slot, sequence, width, height = self._ring.write(image, PHOTOS)
        self._emit(PhotoReady(view.photo, view.view_id, slot, sequence, width, height))


def _failure(error: Exception, doing: str) -> Failure:
    first_line = (str(error).splitlines() or [""])[0][:200]
    what = f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
    return Failure(
        text(
            "Something unexpected went wrong ({what}); see log {log_path}",
            what=what,
            log_path=log_path(),
        ),
        doing,
    )


def _lower_priority() -> None:
    """The window must stay smooth whatever the worker does."""
    if hasattr(os, "nice"):
        os.nice(10)


def start_log() -> None:
    """Send the log of this process to `log_path`; to stderr where that cannot be written."""
    handler: logging.Handler
    try:
        log_path().parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(log_path(), maxBytes=1 << 20, backupCount=1)
    except OSError:
        handler = logging.StreamHandler()
    logging.basicConfig(
        level=logging.INFO,
        handlers=[handler],
        format="%(asctime)s %(process)d %(levelname)s %(name)s %(message)s",
    )


def _end_with_parent() -> None:
    """Runs in a thread: when the window's process ends, so does this one, even in a long call.

    The main loop sees the closed pipe and saves; this only sets the latest moment. (The kernel's
    parent-death signal would take away the chance to save.)
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        _exit_after(CLOSING_SECONDS)


def _exit_after(seconds: float) -> None:
    def leave() -> None:
        time.sleep(seconds)
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()
