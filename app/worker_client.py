"""The window's side of the worker process.

Nothing here blocks the frame loop: one thread sends, and drops commands that newer ones replace;
one receives, and notices when the process ends.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait

import msgspec

from app.state import AppEvent, WorkerLost, WorkerStarted
from core.base.child_process import safe_imports, start_function
from core.engine import worker
from core.protocol import Command, Message, Shutdown, coalesce, decode_event, encode
from core.protocol.pixel_ring import PreviewRing


class WorkerClient:
    """Starts the worker, sends commands, collects events."""

    def __init__(self, session: str, device: str, wake: Callable[[], None] = lambda: None) -> None:
        """Create the client without a worker.

        Args:
            session: Factory of the worker's session, "module:attribute".
            device: "auto", "cpu" or "cuda".
            wake: Called from another thread whenever events have arrived.
        """
        self._session = session
        self._device = device
        self._wake = wake
        self._link: _Link | None = None
        self._events: list[AppEvent] = []
        self._lock = threading.Lock()

    @property
    def alive(self) -> bool:
        """Whether the worker process runs."""
        return self._link is not None and self._link.process.is_alive()

    @property
    def pid(self) -> int | None:
        """Process number of the worker; None if there is none."""
        return self._link.process.pid if self._link else None

    @property
    def ring(self) -> PreviewRing | None:
        """Pixels of previews of this worker; None if there is none."""
        return self._link.ring if self._link else None

    def start(self) -> None:
        """Launch a new worker, in place of any other."""
        self.stop(patience_s=0.0)
        self._push(None, WorkerStarted())
        self._link = _Link(self._session, self._device, self._push)

    def send(self, command: Command) -> None:
        """Queue ``command``; launches a worker if there is none."""
        if not self.alive:
            self.start()
        assert self._link is not None
        self._link.send(command)

    def events(self) -> list[AppEvent]:
        """Return events since the last call, oldest first, without replaced ones."""
        with self._lock:
            events, self._events = self._events, []
        if self._link is not None and self._link.ring.attached:
            self._link.ring.unlink()
        return _coalesced(events)

    def stop(self, patience_s: float) -> None:
        """Ask the worker to save and end; kill it after ``patience_s`` seconds."""
        if self._link is not None:
            link, self._link = self._link, None
            link.stop(patience_s)

    def _push(self, source: _Link | None, event: AppEvent) -> None:
        if source is not None and source is not self._link:
            return  # an earlier worker's last words
        with self._lock:
            self._events.append(event)
        self._wake()


class _Link:
    """One worker process with its pipe, ring and threads."""

    def __init__(self, session: str, device: str, push: Callable[[_Link, AppEvent], None]) -> None:
        with safe_imports():  # shared memory has a process of its own
            self.ring = PreviewRing.create()
        self._connection, theirs = multiprocessing.Pipe()
        self._push = push
        self._waiting: list[Message] = []
        self._more = threading.Condition()
        self._closed = False
        self.process = start_function(
            worker.main, (theirs, self.ring.name, session, device), "gradina-worker"
        )
        theirs.close()
        self._threads = [
            threading.Thread(target=self._send_all, daemon=True),
            threading.Thread(target=self._receive_all, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def send(self, command: Command) -> None:
        with self._more:
            self._waiting.append(command)
            self._more.notify()

    def _send_all(self) -> None:
        while True:
            with self._more:
                self._more.wait_for(lambda: self._waiting or self._closed)
                waiting, self._waiting = coalesce(self._waiting), []
            if not waiting:
                return
            with suppress(OSError):  # a dead worker is noticed by the receiver
                for command in waiting:
                    self._connection.send_bytes(encode(command))

    def _receive_all(self) -> None:
        connection = self._connection
        with suppress(EOFError, OSError):
            while True:
                ready = wait([connection, self.process.sentinel])
                if connection not in ready:
                    break
                with suppress(msgspec.DecodeError):
                    self._push(self, decode_event(connection.recv_bytes()))
        self.process.join(5.0)
        self._push(self, WorkerLost(self.process.exitcode))

    def stop(self, patience_s: float) -> None:
        if patience_s > 0:
            self.send(Shutdown())
            self.process.join(patience_s)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(2.0)
        with self._more:
            self._closed = True
            self._more.notify()
        for thread in self._threads:
            thread.join(1.0)
        self._connection.close()
        self.ring.close()


def _coalesced(events: list[AppEvent]) -> list[AppEvent]:
    """Like `coalesce`, for events of which some are of the window itself."""
    newest = {k: i for i, e in enumerate(events) if (k := getattr(e, "key", None)) is not None}
    return [
        e for i, e in enumerate(events) if (k := getattr(e, "key", None)) is None or newest[k] == i
    ]
