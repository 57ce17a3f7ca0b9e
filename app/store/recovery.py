"""Work that a crash left behind: each window leaves word of what is unsaved until it ends well."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from app.store.json_file import read, write
from core.base.paths import recovery_folder


class Unfinished(msgspec.Struct, frozen=True):
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


class Word:
    """What this window leaves."""

    def __init__(self) -> None:
        self._began = time.time()
        self._path = recovery_folder() / f"{os.getpid()}.json"
        self._left: Unfinished | None = None

    def leave(self, name: str, autosave: str, project: str) -> None:
        """There is work that was not saved."""
        word = Unfinished(os.getpid(), name, autosave, project, self._began)
        if word != self._left:
            self._left = word
            write(self._path, word)

    def take_back(self) -> None:
        """All is saved, or is not to be."""
        if self._left is not None:
            self._left = None
            self._path.unlink(missing_ok=True)


def unfinished() -> Unfinished | None:
    """The latest work of a window that did not end well, if its automatic save is there. Each is
    told of only once."""
    found: list[tuple[float, Unfinished]] = []
    for path in recovery_folder().glob("*.json"):
        word = read(path, Unfinished)
        if word is not None and _runs(word.pid, word.began):
            continue
        path.unlink(missing_ok=True)
        if word is not None and word.saved_at is not None:
            found.append((word.saved_at, word))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _runs(pid: int, began: float) -> bool:
    """Whether the process that left a word still runs, and is not a later one of its number."""
    import psutil  # only after a crash

    try:
        return psutil.Process(pid).create_time() <= began + 1
    except psutil.Error:
        return False
