"""Unsaved work of a window that crashed: each window leaves a marker until it ends well."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from app.store.json_file import read_json, write_json
from core.base.paths import recovery_folder


class UnsavedWork(msgspec.Struct, frozen=True):
    """Work that was not saved: its ``name``, the folder of its automatic saves, the person's own
    ``project`` ("" where there is none yet), and when the window that held it began, seconds since
    1970."""

    pid: int
    name: str
    autosave: str
    project: str
    began: float

    @property
    def saved_at(self) -> float | None:
        """When the last automatic save of this work was made; None where there is none."""
        try:
            at = (Path(self.autosave) / "project.json").stat().st_mtime
        except OSError:
            return None
        return at if at >= self.began else None


class RecoveryMarker:
    """What this window leaves."""

    def __init__(self) -> None:
        self._began = time.time()
        self._path = recovery_folder() / f"{os.getpid()}.json"
        self._written: UnsavedWork | None = None

    def write(self, name: str, autosave: str, project: str) -> None:
        """There is work that was not saved."""
        marker = UnsavedWork(os.getpid(), name, autosave, project, self._began)
        if marker != self._written:
            self._written = marker
            write_json(self._path, marker)

    def clear(self) -> None:
        """All is saved, or is not to be."""
        if self._written is not None:
            self._written = None
            self._path.unlink(missing_ok=True)


def find_unsaved_work() -> UnsavedWork | None:
    """The latest work of a window that did not end well, if its automatic save is there. Each is
    told of only once."""
    found: list[tuple[float, UnsavedWork]] = []
    for path in recovery_folder().glob("*.json"):
        marker = read_json(path, UnsavedWork)
        if marker is not None and _is_running(marker.pid, marker.began):
            continue
        path.unlink(missing_ok=True)
        if marker is not None and marker.saved_at is not None:
            found.append((marker.saved_at, marker))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _is_running(pid: int, began: float) -> bool:
    """Whether the process that left a marker still runs, and is not a later one of its number."""
    import psutil  # only after a crash

    try:
        return psutil.Process(pid).create_time() <= began + 1
    except psutil.Error:
        return False
