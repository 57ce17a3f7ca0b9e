"""The mesh while it is being learnt, cut again and again a slice at a time.

It is what an export would give: while training goes on quickly cut and not finished, within the
share of the time that the view allows; at rest as fine as the export is to be, and finished as it.
Vertices and faces go to the window through a file, which that removes once it is read.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.base.duty_cycle import DutyCycle
from core.base.jobs import Clock, Job
from core.config.mesh import MeshOptions
from core.geometry.rigid import invert
from core.geometry.view import MESH_MODES, PREVIEW_DUTY_CYCLE, MeshPreviewOptions, View
from core.meshing.from_model import mesh_of_model
from core.meshing.mesh import Mesh
from core.protocol import Event, MeshReady
from core.training.trainer import Trainer

COARSEST, FINEST = 48, 160
"""Cells across, while training."""
FINEST_SHOWN = 512
"""… at rest."""
WANTED_S = 1.0
"""What cutting a mesh may cost while training."""


@dataclass
class _Cutting:
    job: Job[Mesh]
    step: int
    options: MeshOptions
    out_from_scene: np.ndarray


class LiveMesh:
    """``emit`` gets a `MeshReady` for each mesh."""

    def __init__(self, emit: Callable[[Event], None], clock: Clock = time.perf_counter) -> None:
        self._emit = emit
        self._duty = DutyCycle(PREVIEW_DUTY_CYCLE, clock=clock)
        self._clock = clock
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._number = 0
        self._cells = COARSEST
        self.forget()

    def forget(self) -> None:
        """The field or its region is another one now."""
        self._cutting: _Cutting | None = None
        self._made: tuple[int, MeshOptions] | None = None

    def work(self, trainer: Trainer, view: View | None, training: bool) -> bool:
        """One slice of what is due for ``view``; False when nothing is."""
        if view is None or view.mode not in MESH_MODES:
            self._cutting = None
            return False
        if self._cutting is None or not self._wanted(self._cutting.options, view, training):
            self._cutting = self._next(trainer, view, training)
            if self._cutting is None:
                return False
        cutting = self._cutting
        try:
            if cutting.job.advance():
                self._finish(cutting, view.duty_cycle)
        finally:
            if cutting.job.is_over:
                self._cutting = None
        return True

    def _wanted(self, options: MeshOptions, view: View, training: bool) -> bool:
        same = (options.levels, options.density) == (view.levels, view.mesh.density)
        return same and (not training or _is_quick(options))

    def _next(self, trainer: Trainer, view: View, training: bool) -> _Cutting | None:
        step, levels, made = trainer.step_count, view.levels, self._made
        density = view.mesh.density
        if made is not None and (made[1].levels, made[1].density) != (levels, density):
            made = None
        if training or made is None:
            if made is not None and (not self._duty.is_due or made[0] == step):
                return None
            options = quick(self._cells, levels, density)
        else:
            options = MeshOptions(
                resolution=min(view.mesh.cells, FINEST_SHOWN),
                levels=levels,
                faces=view.mesh.faces,
                density=density,
                watertight=view.mesh.watertight,
                unseen=view.mesh.unseen,
            )
            if made == (step, options):
                return None
        scene = trainer.scene
        job = Job(mesh_of_model(trainer.model, scene, options), self._clock)
        out_from_scene = scene.out_from_input(options.axes) @ invert(scene.scene_from_input)
        return _Cutting(job, step, options, out_from_scene)

    def _finish(self, cutting: _Cutting, duty_cycle: float) -> None:
        mesh, seconds = cutting.job.result, cutting.job.seconds
        self._made = cutting.step, cutting.options
        if _is_quick(cutting.options):
            cells = cutting.options.resolution * (WANTED_S / max(seconds, 1e-3)) ** 0.5
            self._cells = int(min(max(cells, COARSEST, self._cells / 2), FINEST, 2 * self._cells))
            self._duty.record(seconds, duty_cycle)
        self._publish(mesh.transformed(invert(cutting.out_from_scene)), cutting)

    def _publish(self, mesh: Mesh, cutting: _Cutting) -> None:
        """``mesh`` in the scene frame, to the window."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="gradina-mesh-")
        folder = Path(self._folder.name)
        (folder / str(self._number - 1)).unlink(missing_ok=True)  # nobody has read it
        self._number += 1
        path = folder / str(self._number)
        write(mesh, path)
        how = cutting.options
        look = MeshPreviewOptions(
            how.resolution, how.faces, how.density, how.watertight, how.unseen
        )
        self._emit(
            MeshReady(
                str(path),
                len(mesh.vertices),
                len(mesh.faces),
                look,
                how.levels,
                cutting.step,
                not _is_quick(how),
            )
        )

    def close(self) -> None:
        """Remove what is left of files."""
        self.forget()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def quick(cells: int, levels: int | None, density: float) -> MeshOptions:
    """The surface as it is cut, without specks."""
    return MeshOptions(
        resolution=cells,
        levels=levels,
        unseen="keep",
        seen_through=False,
        close_holes=0.0,
        density=density,
    )


def _is_quick(options: MeshOptions) -> bool:
    return options == quick(options.resolution, options.levels, options.density)


def write(mesh: Mesh, path: Path) -> None:
    """``mesh`` as `MeshReady` says."""
    n = len(mesh.vertices)
    normals = mesh.normals if mesh.normals is not None else np.zeros((n, 3))
    colors = mesh.colors if mesh.colors is not None else np.full((n, 3), 200)
    with path.open("wb") as file:
        file.write(mesh.vertices.astype("<f4").tobytes())
        file.write(_padded(np.round((normals + 1) * 127.5)))
        file.write(_padded(colors))
        file.write(mesh.faces.astype("<u4").tobytes())


def _padded(rows: np.ndarray) -> bytes:
    """Bytes of [N, 3] numbers below 256, four each."""
    out = np.zeros((len(rows), 4), np.uint8)
    out[:, :3] = rows
    return out.tobytes()
