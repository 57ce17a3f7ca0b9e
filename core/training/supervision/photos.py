"""Photos as the goal: random pixels of them all, each of which a ray is to show."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import torch
from torch import Tensor

from core.base.parallel import num_workers
from core.capture.pixels import PixelStore
from core.capture.scene import Scene
from core.config.run import TrainConfig
from core.field.model import SceneModel
from core.geometry.box import Box
from core.geometry.rigid import transform_points
from core.rendering.composite import RaySamples
from core.rendering.sampling import random_in_ball
from core.training import schedule
from core.training.ray_source import RayBatch, RaySource
from core.training.step import ShardResult, StepStats, merge_stats
from core.training.targets import N_REGULARIZER_POINTS, Batch, Pixels

N_SURFACE_POINTS = 512


class PhotoSupervision:
    """The goal of a scene with photos, see `core.training.supervision.base.Supervision`."""

    def __init__(self, store: PixelStore, device: torch.device, seed: int) -> None:
        self._device, self._has_masks = device, store.scene.has_masks
        self.rays = RaySource(store, device, seed)
        self.points = torch.zeros(0, 3, device=device)
        self._ray_batch: RayBatch | None = None
        self._target = self._color_errors = self.points

    def edit(self, scene: Scene, region: Box) -> None:
        self.points = _points_within(region, scene).to(self._device)
        self.rays.exclude_photos(np.array([photo.name in scene.excluded for photo in scene.photos]))

    def sample_batches(
        self, model: SceneModel, train: TrainConfig, n: int, progress: float
    ) -> list[Batch]:
        n_shards, device = num_workers(self._device), self._device
        n = n // n_shards * n_shards
        has_sdf = model.radiance is not None and model.has_sdf
        fraction = train.sdf_error_ray_fraction if has_sdf else train.error_ray_fraction
        ray_batch = self.rays.sample(n, fraction)
        jitter = torch.rand(n, device=device)
        background, target = None, ray_batch.colors
        if self._has_masks:
            background = torch.rand(n, 3, device=device)
            target = target * ray_batch.opacity[:, None] + background * (
                1 - ray_batch.opacity[:, None]
            )
        regularizer_points = random_in_ball(N_REGULARIZER_POINTS, device).chunk(n_shards)
        points: tuple[Tensor | None, ...] = (None,) * n_shards
        if len(self.points) and schedule.points_weight(train, progress) > 0:
            chosen = torch.randint(len(self.points), (N_SURFACE_POINTS,), device=device)
            points = self.points[chosen].chunk(n_shards)
        self._ray_batch, self._target = ray_batch, target
        parts = [slice(i * n // n_shards, (i + 1) * n // n_shards) for i in range(n_shards)]
        return [
            Batch(
                ray_batch.rays[part],
                Pixels(target[part], ray_batch.opacity[part]),
                jitter[part],
                None if background is None else background[part],
                regularizer_points[i],
                points[i],
            )
            for i, part in enumerate(parts)
        ]

    def with_targets(
        self,
        model: SceneModel,
        train: TrainConfig,
        batches: Sequence[Batch],
        ray_samples: Sequence[RaySamples],
        progress: float,
    ) -> Sequence[Batch]:
        return batches

    def stats(self, shards: Sequence[ShardResult]) -> StepStats:
        assert self._ray_batch is not None
        self._color_errors = torch.cat([shard.color for shard in shards]) - self._target
        return merge_stats(shards, float(self._color_errors[self._ray_batch.fair].square().mean()))

    def on_step(self) -> None:
        assert self._ray_batch is not None
        wrong = self._color_errors.abs().mean(-1).cpu().numpy()
        self.rays.error_map.update(self._ray_batch.cells, wrong)

    def state(self) -> dict[str, Tensor]:
        random = msgspec.json.encode(self.rays.random.bit_generator.state)
        return {
            "errors": torch.from_numpy(self.rays.error_map.errors),
            "random.numpy": torch.frombuffer(bytearray(random), dtype=torch.uint8),
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        self.rays.error_map.errors = state["errors"].numpy().copy()
        self.rays.random.bit_generator.state = msgspec.json.decode(
            bytes(state["random.numpy"].numpy())
        )


def _points_within(box: Box, scene: Scene) -> Tensor:
    """[P, 3] of the sparse points, scene units, those inside ``box`` and the ball only."""
    points = transform_points(scene.scene_from_input, scene.points)
    inside = box.contains(points) & (np.linalg.norm(points, axis=1) < 1)
    return torch.from_numpy(points[inside]).float()
