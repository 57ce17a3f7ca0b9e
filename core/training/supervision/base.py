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
from core.rendering.render import RaySamples
from core.training.step import ShardResult, StepStats
from core.training.supervision.photos import PhotoSupervision
from core.training.supervision.text import TextSupervision
from core.training.targets import Batch


class Supervision(Protocol):
    """A step asks in this order, from `draw` on. All randomness is drawn by a goal, on one thread,
    so that a seed repeats a run."""

    def edit(self, scene: Scene, around: Box) -> None:
        """From now on ``scene`` is this one, of which what lies in ``around`` is trained."""
        ...

    def draw(self, model: SceneModel, train: TrainConfig, n: int, progress: float) -> list[Batch]:
        """About ``n`` rays, cut into lanes."""
        ...

    def with_targets(
        self,
        model: SceneModel,
        train: TrainConfig,
        batches: Sequence[Batch],
        found: Sequence[RaySamples],
        progress: float,
    ) -> Sequence[Batch]:
        """``batches``, to be asked where that was ``found``, with what they are held to, as far as
        it depends on what they show now."""
        ...

    def stats(self, lanes: Sequence[ShardResult]) -> StepStats:
        """Of the step in which that was taught."""
        ...

    def on_step(self) -> None:
        """The step was taken."""
        ...

    def state(self) -> dict[str, Tensor]:
        """What of it changes as it goes on, by name."""
        ...

    def restore(self, state: dict[str, Tensor]) -> None:
        """Be as when that was its `state`. Raises KeyError or ValueError where it never was."""
        ...


def make_supervision(store: PixelStore, device: torch.device, seed: int) -> Supervision:
    """That of the scene whose photos are in ``store``."""
    sentence = store.scene.prompt
    return (
        PhotoSupervision(store, device, seed)
        if sentence is None
        else TextSupervision(sentence, device)
    )
