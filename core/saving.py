"""Where work is saved, and whether anything would be lost without that."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core import messages as m
from core.capture.scene import Scene
from core.config import RunConfig
from core.errors import UserError
from core.places import autosave_folder
from core.training.checkpoint import save_project
from core.training.trainer import Trainer


@dataclass(frozen=True)
class Work:
    """What a project holds; ``trainer`` is None before training."""

    source: str
    config: RunConfig
    scene: Scene
    trainer: Trainer | None


class Saver:
    """``folder`` of the automatic saves; None: the user's data folder, by source."""

    def __init__(self, emit: Callable[[m.Event], None], folder: Path | None) -> None:
        self._emit, self._folder = emit, folder
        self._last = 0.0
        self.unsaved = False
        """whether something was done since the last save"""

    def begin(self) -> None:
        """Nothing has been saved yet of what begins now."""
        self._last = time.monotonic()

    def due(self, minutes: float) -> bool:
        """Whether the last automatic save is ``minutes`` old."""
        return time.monotonic() - self._last > 60 * minutes

    def save(self, work: Work, folder: Path) -> None:
        """Save where the person asked to. Raises UserError."""
        self._write(work, folder)
        self._emit(m.Saved(str(folder)))

    def autosave(self, work: Work) -> None:
        """Save where nobody asked to; a failure is said, and training goes on."""
        self._last = time.monotonic()
        folder = self._folder or autosave_folder(work.source)
        try:
            self._write(work, folder)
        except UserError as error:
            self._emit(m.Failure(str(error), "autosave"))
        else:
            self._emit(m.Saved(str(folder), automatic=True))

    def _write(self, work: Work, folder: Path) -> None:
        save_project(folder, work.source, work.config, work.scene, work.trainer)
        self.unsaved = False
