"""How many triangles an export would have and how large its files would be, before it is asked for.

First about: a coarse mesh is cut at two resolutions, and their counts, which grow with a power of
the resolution near 2, are carried on to the one wanted; its bytes by those of a triangle. At rest
then exactly: the export is made, into a folder that goes away.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.base.duty_cycle import DutyCycle
from core.base.errors import UserError
from core.base.jobs import Clock, Job, Progress, Task
from core.capture.scene import Scene
from core.config.mesh import TEXTURED_FACES, MeshOptions
from core.meshing.export.size_limit import max_faces
from core.meshing.from_model import ExportedMesh, export_model
from core.meshing.pipeline import LOD_FACTOR
from core.protocol import Event, ExportEstimate
from core.session.viewer.live_mesh import quick
from core.training.trainer import Trainer

COARSE = (40, 80)
STEEPEST, FLATTEST = 3.0, 1.8
"""Of the power: a surface full of holes at all sizes, and one that is smooth."""
REFRESH_S = 20.0
"""While training it is looked at again so often."""
DUTY_CYCLE = 0.05
MOST_CELLS = 512
"""Finer exports are not made in advance."""


class ExportEstimator:
    """``emit`` gets a `ExportEstimate` for the options asked for last."""

    def __init__(self, emit: Callable[[Event], None], clock: Clock = time.perf_counter) -> None:
        self._emit, self._clock = emit, clock
        self._duty = DutyCycle(DUTY_CYCLE, clock=clock)
        self._options: MeshOptions | None = None
        self.forget()

    def ask(self, options: MeshOptions) -> None:
        """What would come of exporting with these?"""
        if options != self._options:
            self._options = options
            self._job, self._told = None, None

    def forget(self) -> None:
        """There is another field."""
        self._job: Job[ExportEstimate] | None = None
        self._told: ExportEstimate | None = None
        self._of: tuple[int, Scene] | None = None
        """the step and the scene that this was told of"""
        self._at = -math.inf
        self._duty.reset()

    def work(self, trainer: Trainer | None, training: bool) -> bool:
        """A slice of what is due, which is little while ``training``; False when nothing is."""
        if trainer is None or not trainer.step_count or (training and not self._duty.is_due):
            return False
        if self._job is None:
            task = self._next(trainer, training)
            if task is None:
                return False
            self._job = Job(task, self._clock)
        job, before = self._job, self._job.seconds
        try:
            if job.advance():
                self._told, self._at = job.result, self._clock()
                self._emit(job.result)
        finally:
            if job.is_over:
                self._job = None
        self._duty.record(job.seconds - before)
        return True

    def _next(self, trainer: Trainer, training: bool) -> Task[ExportEstimate] | None:
        options, told = self._options, self._told
        if options is None:
            return None
        fresh = told is not None and self._of == (trainer.step_count, trainer.scene)
        due = self._clock() - self._at > REFRESH_S if training and told is not None else not fresh
        if due:
            self._of = trainer.step_count, trainer.scene
            return _about(trainer, options)
        if training or told is None or told.exact or options.texture or options.refine:
            return None
        return _exactly(trainer, options) if options.resolution <= MOST_CELLS else None


def _about(trainer: Trainer, options: MeshOptions) -> Task[ExportEstimate]:
    coarse: list[ExportedMesh] = []
    for cells in COARSE:
        plain = quick(cells, options.levels, options.density)
        plain = replace(plain, format=options.format, axes=options.axes)
        coarse.append((yield from _made(trainer, plain)))
    n_faces, n_bytes = carried_on(
        [(cells, made.n_faces) for cells, made in zip(COARSE, coarse)], coarse[-1].n_bytes, options
    )
    return ExportEstimate(options, n_faces, n_bytes, False)


def carried_on(
    counts: list[tuple[int, int]], n_bytes: int, options: MeshOptions
) -> tuple[int, int]:
    """Estimate the triangles and bytes of an export with ``options``, without textures.

    Args:
        counts: the triangles at two resolutions, as (cells, count).
        n_bytes: of the mesh at the finer of the two.
        options: of the export.
    """
    (low, few), (high, many) = counts
    if not many:
        return 0, 0
    power = math.log(many / max(few, 1)) / math.log(high / low)
    power = min(max(power, FLATTEST), STEEPEST)
    n_faces = many * (options.resolution / high) ** power
    most = options.faces or (TEXTURED_FACES if options.texture else math.inf)
    n_faces = round(min(n_faces, most, max_faces(options) or math.inf))
    files = sum(n_faces // LOD_FACTOR**level for level in range(options.lods))
    files *= 2 if options.lods > 1 else 1  # all of them are in one more file
    return n_faces, round(n_bytes / many * files)


def _exactly(trainer: Trainer, options: MeshOptions) -> Task[ExportEstimate]:
    made = yield from _made(trainer, options)
    return ExportEstimate(options, made.n_faces, made.n_bytes, True)


def _made(trainer: Trainer, options: MeshOptions) -> Task[ExportedMesh]:
    """The export, its files gone again; none where there is no surface."""
    with tempfile.TemporaryDirectory(prefix="gradina-size-") as folder:
        path = Path(folder) / f"mesh.{options.format}"
        yield Progress(0.0)
        try:
            return (yield from export_model(trainer.model, trainer.scene, options, path))
        except UserError:
            return ExportedMesh(path, 0, 0, 0)
