"""What a run learns from: photos of a scene, or a sentence about one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from core.capture.pixels import PixelStore
from core.capture.scene import Scene
from core.config.run import TrainConfig
from core.field.model import SurfaceModel
from core.geometry.box import Box
from core.rendering.render import Found
from core.training.step import StepStats, Taught
from core.training.supervision.photos import Photographed
from core.training.supervision.text import Imagined
from core.training.targets import Batch


class Goal(Protocol):
    """A step asks in this order, from `draw` on. All randomness is drawn by a goal, on one thread,
    so that a seed repeats a run."""

    def edit(self, scene: Scene, around: Box) -> None:
        """From now on ``scene`` is this one, of which what lies in ``around`` is trained."""
        ...

    def draw(
        self, model: SurfaceModel, train: TrainConfig, n: int, progress: float
    ) -> list[Batch]:
        """About ``n`` rays, cut into lanes."""
        ...

    def judged(
        self, model: SurfaceModel, train: TrainConfig, batches: Sequence[Batch],
        found: Sequence[Found], progress: float,
    ) -> Sequence[Batch]:
        """``batches``, to be asked where that was ``found``, with what they are held to, as far as
        it depends on what they show now."""
        ...

    def figures(self, lanes: Sequence[Taught]) -> StepStats:
        """Of the step in which that was taught."""
        ...

    def learn(self) -> None:
        """The step was taken."""
        ...

    def state(self) -> dict[str, Tensor]:
        """What of it changes as it goes on, by name."""
        ...

    def restore(self, state: dict[str, Tensor]) -> None:
        """Be as when that was its `state`. Raises KeyError or ValueError where it never was."""
        ...


def goal_of(store: PixelStore, device: torch.device, seed: int) -> Goal:
    """That of the scene whose photos are in ``store``."""
    sentence = store.scene.sentence
    return Photographed(store, device, seed) if sentence is None else Imagined(sentence, device)
