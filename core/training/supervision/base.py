"""What a run learns from: photos of a scene, or a sentence about one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from core.capture.pixels import PixelStore
from core.capture.scene import Scene
from core.config.run import TrainConfig
from core.field.model import SceneModel
from core.geometry.box import Box
from core.rendering.composite import RaySamples
from core.training.step import ShardResult, StepStats
from core.training.supervision.photos import PhotoSupervision
from core.training.supervision.text import TextSupervision
from core.training.targets import Batch


class Supervision(Protocol):
    """The target of training: the batches of a step and their losses.

    A step calls the methods in this order, from `sample_batches` on. A supervision draws all random
    numbers, on one thread, so that a seed reproduces a run.
    """

    def edit(self, scene: Scene, region: Box) -> None:
        """From now on ``scene`` is this one, of which what lies in ``region`` is trained."""
        ...

    def sample_batches(
        self, model: SceneModel, train: TrainConfig, n: int, progress: float
    ) -> list[Batch]:
        """Return about ``n`` rays, cut into shards."""
        ...

    def with_targets(
        self,
        model: SceneModel,
        train: TrainConfig,
        batches: Sequence[Batch],
        ray_samples: Sequence[RaySamples],
        progress: float,
    ) -> Sequence[Batch]:
        """Return ``batches`` with the targets that depend on the current rendering."""
        ...

    def stats(self, shards: Sequence[ShardResult]) -> StepStats:
        """Return the statistics of the step."""
        ...

    def on_step(self) -> None:
        """Update after the optimiser step."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return by name the tensors that change during training."""
        ...

    def restore(self, state: dict[str, Tensor]) -> None:
        """Load a `state`. Raises KeyError or ValueError where it is not one."""
        ...


def make_supervision(store: PixelStore, device: torch.device, seed: int) -> Supervision:
    """That of the scene whose photos are in ``store``."""
    prompt = store.scene.prompt
    return (
        PhotoSupervision(store, device, seed) if prompt is None else TextSupervision(prompt, device)
    )
