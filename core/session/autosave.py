"""Where work is saved, and whether anything would be lost without that."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core import protocol as m
from core.base.errors import UserError
from core.base.paths import autosave_folder, is_automatic
from core.project.repeat import write_recipe
from core.project.store import ProjectState, save_project
from core.training.trainer import Trainer


class Saver:
    """``folder`` of the automatic saves; None: the user's data folder, by source."""

    def __init__(self, emit: Callable[[m.Event], None], folder: Path | None) -> None:
        self._emit, self._folder = emit, folder
        self._last = 0.0
        self._ours = False  # what lies in the folder is of the present work
        self._from = Path()
        self.dirty_since_save = False
        """whether something was done since the last save of any kind"""
        self.dirty = False
        """whether something was done that is not in the person's own project"""

    def opened(self, path: Path, source: str) -> None:
        """Other work begins, read from ``path``."""
        self._from = path
        self._ours = path.resolve() == self.place(source).resolve()
        self.dirty_since_save, self.dirty = False, is_automatic(path)

    def closed(self) -> None:
        """There is no work any more."""
        self.dirty_since_save = self.dirty = False

    def place(self, source: str) -> Path:
        """Of the automatic saves of what came from ``source``."""
        return self._folder or autosave_folder(source)

    def leave(self, source: str) -> Path:
        """Make room for another run; the present one is saved.

        Returns:
            The folder where the present run is found from now on.
        """
        if not self._ours:
            return self._from
        self._ours = False
        return _aside(self.place(source))

    def begin(self) -> None:
        """Training begins: nothing of it has been saved yet."""
        self._last = time.monotonic()

    def mark_dirty(self) -> bool:
        """Something is done now; whether nothing had been since the person saved."""
        first = not self.dirty
        self.dirty_since_save = self.dirty = True
        return first

    def due(self, minutes: float) -> bool:
        """Whether the last automatic save is ``minutes`` old."""
        return time.monotonic() - self._last > 60 * minutes

    def save(self, state: ProjectState, trainer: Trainer | None, folder: Path) -> None:
        """Save where the person asked to. Raises UserError."""
        self._write(state, trainer, folder)
        self.dirty = False
        self._emit(m.Saved(str(folder)))

    def autosave(self, state: ProjectState, trainer: Trainer | None) -> None:
        """Save where nobody asked to; a failure is said, and training goes on."""
        self._last = time.monotonic()
        folder = self.place(state.source)
        if not self._ours and self._folder is None:
            _set_aside(folder)
        self._ours = True
        try:
            self._write(state, trainer, folder)
        except UserError as error:
            self._emit(m.Failure(error.text, "autosave"))
        else:
            self._emit(m.Saved(str(folder), automatic=True))

    def _write(self, state: ProjectState, trainer: Trainer | None, folder: Path) -> None:
        save_project(folder, state, trainer)
        write_recipe(folder, state)
        self.dirty_since_save = False


def _aside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-before")


def _set_aside(folder: Path) -> None:
    """The automatic saves of an earlier run survive one more."""
    aside = _aside(folder)
    if not folder.exists():
        return
    with suppress(OSError):
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
