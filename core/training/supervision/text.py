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
from core.rendering.preview import view_rays
from core.rendering.render import Rays, RaySamples
from core.rendering.sampling import random_in_ball
from core.training import losses, schedule
from core.training.step import ShardResult, StepStats, merge_stats, render_shard
from core.training.supervision.clip import Clip
from core.training.targets import AROUND, Batch, PrecomputedImageGradient

ELEVATIONS = (-0.1, 0.8)
DISTANCE, FOV = 3.0, 0.75
FOLLOWED = 0.01
"""Of the way from the centre that is looked at to where a picture has its own, with each step."""
SMALLEST_SIDE = 16
SMALLEST_CROP = 0.85

Likeness = Callable[[Tensor], Tensor]


class TextSupervision:
    """The goal of a scene that is a ``sentence``, see `base.Goal`. What tells ``likeness`` is
    read with the first step, so that a project opens without it."""

    def __init__(
        self, sentence: Prompt, device: torch.device, likeness: Likeness | None = None
    ) -> None:
        self._sentence, self._device, self._likeness = sentence, device, likeness
        self.center = torch.zeros(3, device=device)
        self._terms: dict[str, float] = {}

    def edit(self, scene: Scene, around: Box) -> None:
        pass

    def draw(self, model: SceneModel, train: TrainConfig, n: int, progress: float) -> list[Batch]:
        """One square picture of about ``n`` pixels."""
        if self._likeness is None:
            self._likeness = Clip(self._sentence, self._device).likeness
        side, n_lanes = max(math.isqrt(n), SMALLEST_SIDE), num_workers(self._device)
        rays = Rays(*view_rays(self._somewhere(side), side, side, self._device))
        jitter = torch.rand(len(rays), device=self._device)
        around = random_in_ball(AROUND, self._device).chunk(n_lanes)
        nothing = PrecomputedImageGradient(torch.zeros_like(rays.origins), torch.zeros_like(jitter))
        return [
            Batch(rays[part], nothing, jitter[part], None, around[i], None)
            for i, part in enumerate(_parts(len(rays), n_lanes))
        ]

    def _somewhere(self, side: int) -> View:
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
        found: Sequence[RaySamples],
        progress: float,
    ) -> Sequence[Batch]:
        """The picture is drawn once without gradients, so that those of the field can be taken in
        lanes."""
        with torch.no_grad():
            seen = parallel_map(
                torch.no_grad()(lambda lane: render_shard(model, *lane, train, progress)),
                zip(batches, found),
            )
        color = torch.cat([lane.color for lane in seen])
        opacity = torch.cat([lane.opacity for lane in seen])
        self._follow(batches, opacity, torch.cat([lane.depth for lane in seen]))
        by_color, by_opacity, likeness = self._of_sentence(color, opacity, train)
        opacity.requires_grad_()
        least = schedule.transmittance(train, progress)
        through = train.lambda_transmittance * losses.transmittance_loss(opacity, least)
        by_opacity = by_opacity + torch.autograd.grad(through, opacity)[0]
        self._terms = {"sentence": 1 - likeness, "transmittance": float(through.detach())}
        n = len(color)
        return [
            replace(
                batch, wanted=PrecomputedImageGradient(n * by_color[part], n * by_opacity[part])
            )
            for batch, part in zip(batches, _parts(n, len(batches)))
        ]

    def _of_sentence(
        self, color: Tensor, opacity: Tensor, train: TrainConfig
    ) -> tuple[Tensor, Tensor, float]:
        """Of the picture of ``color`` [R, 3], premultiplied, and ``opacity`` [R], before several
        backgrounds: the gradients of 1 - cosine in both, and the mean cosine."""
        likeness, side, n = self._likeness, math.isqrt(len(color)), train.prompt_backgrounds
        assert likeness is not None
        behind = random_backgrounds(n, side, self._device)
        crops = torch.rand(n, 3).tolist()

        def part(copies: slice) -> tuple[tuple[Tensor, ...], float]:
            c, o = color.detach().requires_grad_(), opacity.detach().requires_grad_()
            picture = c.T.view(1, 3, side, side)
            whole = picture + (1 - o.view(1, 1, side, side)) * behind[copies]
            told = torch.cat(
                [likeness(_cropped(one[None], *crop)) for one, crop in zip(whole, crops[copies])]
            )
            return torch.autograd.grad(-told.sum() / n, (c, o)), float(told.sum().detach()) / n

        done = parallel_map(
            part, [p for p in _parts(n, num_workers(self._device)) if p.start < p.stop]
        )
        by_color, by_opacity = (torch.stack(g).sum(0) for g in zip(*(found for found, _ in done)))
        return by_color, by_opacity, sum(told for _, told in done)

    def _follow(self, batches: Sequence[Batch], opacity: Tensor, depth: Tensor) -> None:
        """Look more towards the middle of what the picture shows."""
        origins = torch.cat([batch.rays.origins for batch in batches])
        directions = torch.cat([batch.rays.directions for batch in batches])
        there = (opacity[:, None] * origins + depth[:, None] * directions).sum(0)
        middle = there / opacity.sum().clamp(min=1e-6)
        self.center = self.center + FOLLOWED * (middle - self.center)

    def stats(self, lanes: Sequence[ShardResult]) -> StepStats:
        stats = merge_stats(lanes, math.nan)
        others = {name: x for name, x in stats.losses.items() if name not in ("color", "coarse")}
        return replace(stats, losses=self._terms | others)

    def on_step(self) -> None:
        pass

    def state(self) -> dict[str, Tensor]:
        return {"center": self.center.cpu()}

    def restore(self, state: dict[str, Tensor]) -> None:
        self.center = state["center"].to(self._device)


def _parts(n: int, parts: int) -> list[slice]:
    return [slice(i * n // parts, (i + 1) * n // parts) for i in range(parts)]


def _cropped(picture: Tensor, size: float, x: float, y: float) -> Tensor:
    """[1, 3, s, s]: a random square of ``picture`` [1, 3, S, S], by numbers in [0, 1)."""
    whole = picture.shape[-1]
    side = round(whole * (SMALLEST_CROP + (1 - SMALLEST_CROP) * size))
    left, top = int(x * (whole - side + 1)), int(y * (whole - side + 1))
    return picture[..., top : top + side, left : left + side]
