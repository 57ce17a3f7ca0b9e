"""Unsaved work of a window that crashed: each window leaves a marker until it ends well."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from app.store.json_file import read_json, write_json
from core.base.paths import recovery_folder


class UnsavedWork(msgspec.Struct, frozen=True):
    """Work of a window that was not saved."""

    pid: int
    """Process of the window."""
    name: str
    """Of the scene."""
    autosave: str
    """Folder of its autosaves."""
    project: str
    """Its own folder; "" if it was never saved."""
    began: float
    """Start of the window, seconds since 1970."""

    @property
    def saved_at(self) -> float | None:
        """Time of the last autosave of this window, seconds since 1970; None if there is none."""
        try:
            at = (Path(self.autosave) / "project.json").stat().st_mtime
        except OSError:
            return None
        return at if at >= self.began else None


class RecoveryMarker:
    """The file by which this window marks unsaved work."""

    def __init__(self) -> None:
        self._began = time.time()
        self._path = recovery_folder() / f"{os.getpid()}.json"
        self._written: UnsavedWork | None = None

    def write(self, name: str, autosave: str, project: str) -> None:
        """Mark work as unsaved; see `UnsavedWork`."""
        marker = UnsavedWork(os.getpid(), name, autosave, project, self._began)
        if marker != self._written:
            self._written = marker
            write_json(self._path, marker)

    def clear(self) -> None:
        """Remove the mark: all is saved, or was discarded."""
        if self._written is not None:
            self._written = None
            self._path.unlink(missing_ok=True)


def find_unsaved_work() -> UnsavedWork | None:
    """Return the latest work of a window that crashed, if it has an autosave.

    Each is found only once: the marker is removed.
    """
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
    """Whether the process still runs, and is not a later one with the same number."""
    import psutil  # only after a crash

    try:
        return psutil.Process(pid).create_time() <= began + 1
    except psutil.Error:
        return False
