"""A mesh to a file, as the window asks for it."""

from __future__ import annotations

from pathlib import Path

from core.base.jobs import Task
from core.meshing.from_model import export_model
from core.protocol import Export, Exported
from core.training.trainer import Trainer


def exporting(trainer: Trainer, command: Export) -> Task[Exported]:
    """Write what ``trainer`` has learnt so far. Raises UserError."""
    path = Path(command.path).expanduser()
    done = yield from export_model(
        trainer.model, trainer.scene, command.options, path, force=command.force)
    return Exported(str(path), done.n_vertices, done.n_faces, done.n_bytes, done.notes)
