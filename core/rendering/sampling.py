"""Where along a ray the field is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.kernels import for_device
from core.rendering.occupancy import OccupancyGrid
from core.rendering.volume import pack


@dataclass(frozen=True)
class Samples:
    """Packed steps along rays: ray r owns samples ray_starts[r] to ray_starts[r + 1]."""

    t_starts: Tensor  # [S]
    t_ends: Tensor  # [S]
    ray_starts: Tensor  # [R + 1]

    @property
    def ray_indices(self) -> Tensor:
        """[S] the ray of each sample."""
        counts = self.ray_starts.diff()
        return torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)

    def positions(self, origins: Tensor, directions: Tensor) -> Tensor:
        """[S, 3] the middle of each step."""
        ray = self.ray_indices
        middle = 0.5 * (self.t_starts + self.t_ends)
        return origins[ray] + directions[ray] * middle[:, None]

    def keep(self, mask: Tensor) -> Samples:
        """Only the samples where ``mask`` [S] is true."""
        return Samples(self.t_starts[mask], self.t_ends[mask], pack(mask, self.ray_starts))


def ball_range(origins: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """``t_near, t_far`` [R] in which each ray is inside the unit ball and in front of the camera;
    t_far ≤ t_near where it misses."""
    along = (origins * directions).sum(-1)
    discriminant = along**2 - (origins**2).sum(-1) + 1
    root = discriminant.clamp(min=0).sqrt()
    near = (-along - root).clamp(min=0.02)
    return near, torch.where(discriminant > 0, -along + root, torch.full_like(along, -1.0))


def march(
    origins: Tensor, directions: Tensor, occupancy: OccupancyGrid, dt: float,
    jitter: Tensor | None = None,
) -> Samples:
    """Steps of length ``dt`` through occupied space inside the ball; ``jitter`` [R] in [0, 1)
    shifts each ray's lattice, so that training sees every distance."""
    near, far = ball_range(origins, directions)
    if jitter is not None:
        near = near + dt * jitter
    kernels = for_device(origins.device)
    return Samples(*kernels.march(origins, directions, near, far, occupancy.occupied, dt))


@torch.no_grad()
def cull(
    samples: Samples, origins: Tensor, directions: Tensor, sdf: Callable[[Tensor], Tensor],
    inv_s: float, cos_anneal_ratio: float, threshold: float,
) -> Samples:
    """Drop samples whose rendering weight, judged by the SDF alone, is below ``threshold``."""
    values = sdf(samples.positions(origins, directions))
    weights = for_device(origins.device).neus_weights(
        values, samples.t_starts, samples.t_ends, samples.ray_starts, inv_s, cos_anneal_ratio
    )
    return samples.keep(weights > threshold)
