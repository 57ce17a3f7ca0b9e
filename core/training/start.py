"""How a run begins: from nothing, or from what another one has learnt."""

from __future__ import annotations

import torch

from core.base.jobs import Task, subtask
from core.base.text import text
from core.capture.pixels import load_pixels
from core.capture.scene import Scene
from core.config.run import RunConfig
from core.training.trainer import Trainer
from core.training.warm_start import warm_start

PIXELS_FRACTION = 0.2
"""Share of the photos in the time that a warm start takes, about."""


def new_trainer(scene: Scene, config: RunConfig, device: torch.device) -> Task[Trainer]:
    """A run of ``scene`` that knows nothing yet. Raises UserError."""
    store = yield from load_pixels(scene, config.train.max_photo_side)
    return Trainer(store, config, device)


def warm_started_trainer(old: Trainer, scene: Scene, config: RunConfig) -> Task[Trainer]:
    """A run of ``scene``, which is that of ``old``, that begins with what ``old`` has learnt; it
    stays as it is. Raises UserError."""
    task = load_pixels(scene, config.train.max_photo_side)
    store = yield from subtask(task, 0.0, PIXELS_FRACTION)
    is_complete = False
    try:
        trainer = Trainer(store, config, old.device)
        fitting = warm_start(trainer, old.model, old.occupancy)
        yield from subtask(fitting, PIXELS_FRACTION, 1.0, text("Transferring the trained model"))
        is_complete = True
        return trainer
    finally:
        if not is_complete:
            store.close()
