"""A lock of folders where photos are prepared, between processes."""

from __future__ import annotations

import time
from pathlib import Path

from filelock import FileLock, Timeout

from core.base.jobs import Progress, Task
from core.base.text import text


def acquire_lock(folder: Path) -> Task[FileLock]:
    """Create ``folder`` and wait until no other process has its lock; the caller releases it."""
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
