"""One process at a time where photos are prepared."""

from __future__ import annotations

import time
from pathlib import Path

from filelock import FileLock, Timeout

from core.base.jobs import Progress, Task
from core.base.text import text


def acquire_lock(folder: Path) -> Task[FileLock]:
    """Wait until no other process works in ``folder``, made here; release the lock."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock", thread_local=False)
    while True:
        try:
            lock.acquire(timeout=0)
            return lock
        except Timeout:
            yield Progress(
                0.0, text("waiting for another Gradina process that prepares these photos")
            )
            time.sleep(0.05)
