"""From a path to what lies there, and what the window is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.capture.open import hold_out_every, open_capture
from core.capture.pixels import PixelStore, load_pixels
from core.capture.scene import Scene
from core.config import RunConfig
from core.geometry.rigid import invert, transform_points
from core.messages import STILL, Arranged, Opened
from core.planning import preset_words
from core.presets import PRESETS, default_preset
from core.tasks import Progress, Task
from core.training.checkpoint import Project, is_project, load_project, restore
from core.training.trainer import Trainer

MOST_POINTS = 6000
"""So many sparse points are shown."""


@dataclass(frozen=True)
class Opening:
    """A capture's ``scene``, or that of a saved ``project``, whose photos are loaded too where it
    has been trained."""

    path: Path
    scene: Scene
    project: Project | None = None
    store: PixelStore | None = None

    def trainer(self, device: torch.device) -> Trainer | None:
        """Where a trained project left off; None for anything else. Raises UserError."""
        if self.project is None or self.store is None:
            return None
        try:
            trainer = Trainer(self.store, self.project.config, device)
            restore(trainer, self.project, self.path)
        except BaseException:
            self.store.close()
            raise
        return trainer


def opening(path: Path, hold_out: bool, recursive: bool) -> Task[Opening]:
    """Read what lies at ``path``, poses solved if need be; ``hold_out`` as in `Session`,
    ``recursive`` as in `open_capture`. Raises UserError."""
    if not is_project(path):
        scene = yield from open_capture(path, recursive=recursive)
        return Opening(path, hold_out_every(scene) if hold_out else scene)
    yield Progress(0.0, "reading the project")
    project = load_project(path)
    if "counters" not in project.tensors:
        return Opening(path, project.scene, project)
    store = yield from load_pixels(project.scene, project.config.train.max_photo_side)
    return Opening(path, store.scene, project, store)


def describe(path: Path, scene: Scene, config: RunConfig | None, device: torch.device) -> Opened:
    """``config``: of the saved project, None for a capture, which gets the device's preset."""
    config = config or PRESETS[default_preset(device.type)]
    lens = scene.photos[0].intrinsics
    points = transform_points(scene.scene_from_input, scene.points)
    points = points[:: max(1, -(-len(points) // MOST_POINTS))].astype(np.float32)
    return Opened(
        path=str(path), kind=scene.kind, device=str(device), n_photos=len(scene.photos),
        n_held_out=len(scene.held_out), n_points=len(scene.points), has_masks=scene.has_masks,
        arranged=arrangement(scene), points=points.tobytes(),
        fov_y=float(2 * np.arctan(lens.height / (2 * lens.fy))),
        aspect=lens.width / lens.height, n_levels=config.field.n_levels,
        preset=config.preset, presets=preset_words(scene, device), minutes=config.train.minutes,
        notices=scene.notices,
    )


def arrangement(scene: Scene, moved: np.ndarray | None = None) -> Arranged:
    """Where things are; ``moved`` [4, 4] as in `Arranged`."""
    upright_from_scene = scene.out_from_input("z") @ invert(scene.scene_from_input)
    poses = [scene.scene_from_camera(p) for p in scene.photos]
    return Arranged(
        tuple(_numbers(p) for p in poses), _numbers(scene.region_in_scene.frame_from_cube),
        _numbers(upright_from_scene), scene.unit, STILL if moved is None else _numbers(moved),
    )


def _numbers(matrix: np.ndarray) -> tuple[float, ...]:
    return tuple(matrix.ravel().tolist())
