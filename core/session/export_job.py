"""Meshes and videos to files, as the window asks for them."""

from __future__ import annotations

from pathlib import Path

from core.base.jobs import Task
from core.meshing.from_model import export_model
from core.output.video import write_video
from core.protocol import Export, Exported, VideoWritten, WriteVideo
from core.training.trainer import Trainer


def export_mesh(trainer: Trainer, command: Export) -> Task[Exported]:
    """Write the mesh of what ``trainer`` has learnt so far. Raises UserError."""
    path = Path(command.path).expanduser()
    done = yield from export_model(
        trainer.model, trainer.scene, command.options, path, force=command.force
    )
    return Exported(str(path), done.n_vertices, done.n_faces, done.n_bytes, done.notes)


def export_video(trainer: Trainer, command: WriteVideo) -> Task[VideoWritten]:
    """Write the video or picture that ``command`` asks for. Raises UserError."""
    path = Path(command.path).expanduser()
    n_frames = yield from write_video(trainer, path, command.options, force=command.force)
    return VideoWritten(str(path), n_frames)
