"""A sentence as the goal: whole pictures from random sides, which a network compares with it.

Source: Jain et al. 2022 (Dream Fields): cosine of CLIP's image and text (eq. 5), transmittance
(eq. 6) and random backgrounds (section 4.4); the scene's centre is followed and the density ends
with the ball (section 4.5).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from core.base.parallel import num_workers, parallel_map
from core.capture.scene import Scene
from core.config.prompt import Prompt
from core.config.run import TrainConfig
from core.field.model import SceneModel
from core.geometry.box import Box
from core.geometry.camera_path import looking_at_center
from core.geometry.view import View
from core.rendering.backgrounds import random_backgrounds
from core.rendering.composite import RaySamples
from core.rendering.preview import view_rays
from core.rendering.render import Rays
from core.rendering.sampling import random_in_ball
from core.training import losses, schedule
from core.training.step import ShardResult, StepStats, merge_stats, render_shard
from core.training.supervision.clip import Clip
from core.training.targets import N_REGULARIZER_POINTS, Batch, PrecomputedImageGradient

ELEVATIONS = (-0.1, 0.8)
DISTANCE, FOV = 3.0, 0.75
CENTER_RATE = 0.01
"""Of the way from the centre that is looked at to where a picture has its own, with each step."""
MIN_SIDE = 16
MIN_CROP = 0.85

ImageSimilarity = Callable[[Tensor], Tensor]


class TextSupervision:
    """The goal of a scene that is a ``prompt``, see `base.Goal`. What tells ``similarity`` is
    read with the first step, so that a project opens without it."""

    def __init__(
        self, prompt: Prompt, device: torch.device, similarity: ImageSimilarity | None = None
    ) -> None:
        self._prompt, self._device, self._similarity = prompt, device, similarity
        self.center = torch.zeros(3, device=device)
        self._terms: dict[str, float] = {}

    def edit(self, scene: Scene, region: Box) -> None:
        pass

    def sample_batches(
        self, model: SceneModel, train: TrainConfig, n: int, progress: float
    ) -> list[Batch]:
        """One square picture of about ``n`` pixels."""
        if self._similarity is None:
            self._similarity = Clip(self._prompt, self._device).similarity
        side, n_shards = max(math.isqrt(n), MIN_SIDE), num_workers(self._device)
        rays = Rays(*view_rays(self._random_view(side), side, side, self._device))
        jitter = torch.rand(len(rays), device=self._device)
        regularizer_points = random_in_ball(N_REGULARIZER_POINTS, self._device).chunk(n_shards)
        nothing = PrecomputedImageGradient(torch.zeros_like(rays.origins), torch.zeros_like(jitter))
        return [
            Batch(rays[part], nothing, jitter[part], None, regularizer_points[i], None)
            for i, part in enumerate(_slices(len(rays), n_shards))
        ]

    def _random_view(self, side: int) -> View:
        azimuth, height = torch.rand(2).tolist()
        low, high = ELEVATIONS
        pose = looking_at_center(2 * math.pi * azimuth, low + (high - low) * height, DISTANCE)
        pose[:3, 3] += self.center.cpu().numpy().astype(np.float64)
        return View(0, tuple(pose.ravel().tolist()), FOV, side, side)

    def with_targets(
        self,
        model: SceneModel,
        train: TrainConfig,
        batches: Sequence[Batch],
        ray_samples: Sequence[RaySamples],
        progress: float,
    ) -> Sequence[Batch]:
        """The picture is drawn once without gradients, so that those of the field can be taken in
        lanes."""
        with torch.no_grad():
            rendered = parallel_map(
                torch.no_grad()(lambda shard: render_shard(model, *shard, train, progress)),
                zip(batches, ray_samples),
            )
        color = torch.cat([shard.color for shard in rendered])
        opacity = torch.cat([shard.opacity for shard in rendered])
        self._follow_center(batches, opacity, torch.cat([shard.depth for shard in rendered]))
        by_color, by_opacity, similarity = self._prompt_gradients(color, opacity, train)
        opacity.requires_grad_()
        least = schedule.transmittance(train, progress)
        through = train.lambda_transmittance * losses.transmittance_loss(opacity, least)
        by_opacity = by_opacity + torch.autograd.grad(through, opacity)[0]
        self._terms = {"sentence": 1 - similarity, "transmittance": float(through.detach())}
        n = len(color)
        return [
            replace(
                batch, target=PrecomputedImageGradient(n * by_color[part], n * by_opacity[part])
            )
            for batch, part in zip(batches, _slices(n, len(batches)))
        ]

    def _prompt_gradients(
        self, color: Tensor, opacity: Tensor, train: TrainConfig
    ) -> tuple[Tensor, Tensor, float]:
        """Of the picture of ``color`` [R, 3], premultiplied, and ``opacity`` [R], before several
        backgrounds: the gradients of 1 - cosine in both, and the mean cosine."""
        similarity, side, n = self._similarity, math.isqrt(len(color)), train.prompt_backgrounds
        assert similarity is not None
        backgrounds = random_backgrounds(n, side, self._device)
        crops = torch.rand(n, 3).tolist()

        def part(copies: slice) -> tuple[tuple[Tensor, ...], float]:
            c, o = color.detach().requires_grad_(), opacity.detach().requires_grad_()
            picture = c.T.view(1, 3, side, side)
            whole = picture + (1 - o.view(1, 1, side, side)) * backgrounds[copies]
            cosines = torch.cat(
                [similarity(_cropped(one[None], *crop)) for one, crop in zip(whole, crops[copies])]
            )
            return torch.autograd.grad(-cosines.sum() / n, (c, o)), float(
                cosines.sum().detach()
            ) / n

        done = parallel_map(
            part, [p for p in _slices(n, num_workers(self._device)) if p.start < p.stop]
        )
        by_color, by_opacity = (
            torch.stack(g).sum(0) for g in zip(*(ray_samples for ray_samples, _ in done))
        )
        return by_color, by_opacity, sum(cosines for _, cosines in done)

    def _follow_center(self, batches: Sequence[Batch], opacity: Tensor, depth: Tensor) -> None:
        """Look more towards the middle of what the picture shows."""
        origins = torch.cat([batch.rays.origins for batch in batches])
        directions = torch.cat([batch.rays.directions for batch in batches])
        there = (opacity[:, None] * origins + depth[:, None] * directions).sum(0)
        middle = there / opacity.sum().clamp(min=1e-6)
        self.center = self.center + CENTER_RATE * (middle - self.center)

    def stats(self, shards: Sequence[ShardResult]) -> StepStats:
        stats = merge_stats(shards, math.nan)
        others = {name: x for name, x in stats.losses.items() if name not in ("color", "coarse")}
        return replace(stats, losses=self._terms | others)

    def on_step(self) -> None:
        pass

    def state(self) -> dict[str, Tensor]:
        return {"center": self.center.cpu()}

    def restore(self, state: dict[str, Tensor]) -> None:
        self.center = state["center"].to(self._device)


def _slices(n: int, parts: int) -> list[slice]:
    return [slice(i * n // parts, (i + 1) * n // parts) for i in range(parts)]


def _cropped(picture: Tensor, size: float, x: float, y: float) -> Tensor:
    """[1, 3, s, s]: a random square of ``picture`` [1, 3, S, S], by numbers in [0, 1)."""
    whole = picture.shape[-1]
    side = round(whole * (MIN_CROP + (1 - MIN_CROP) * size))
    left, top = int(x * (whole - side + 1)), int(y * (whole - side + 1))
    return picture[..., top : top + side, left : left + side]
