"""Where along a ray the field is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from core.kernels import for_device
from core.rendering.occupancy import OccupancyGrid
from core.rendering.volume import composite, density_alpha, pack


@dataclass(frozen=True)
class Samples:
    """Packed steps along rays: ray r owns samples ray_starts[r] to ray_starts[r + 1]."""

    t_starts: Tensor  # [S]
    t_ends: Tensor  # [S]
    ray_starts: Tensor  # [R + 1]

    @cached_property
    def ray_indices(self) -> Tensor:
        """[S] the ray of each sample."""
        counts = self.ray_starts.diff()
        return torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)

    def positions(self, origins: Tensor, directions: Tensor) -> Tensor:
        """[S, 3] the middle of each step."""
        ray = self.ray_indices
        middle = 0.5 * (self.t_starts + self.t_ends)
        return origins[ray] + directions[ray] * middle[:, None]

    def sum_before(self, values: Tensor) -> Tensor:
        """[S] float64: of ``values`` [S], the sum over the samples before each on its ray. Doubles,
        because the running sum goes over all rays of the batch."""
        total = torch.cat([values.new_zeros(1), values]).double().cumsum(0)
        return total[:-1] - total[self.ray_starts[:-1]][self.ray_indices]

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


def random_in_ball(n: int, device: torch.device) -> Tensor:
    """[n, 3] points spread evenly over the unit ball."""
    direction = F.normalize(torch.randn(n, 3, device=device), dim=-1)
    return direction * torch.rand(n, 1, device=device) ** (1 / 3)


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


DENSITY_STEP = 0.0125
"""Of a march through density, scene units: the thinnest walls that the warm-up has to find."""


@torch.no_grad()
def march_through_density(
    origins: Tensor, directions: Tensor, occupancy: OccupancyGrid, jitter: Tensor | None,
    level: Callable[[Tensor], Tensor], threshold: float,
) -> tuple[Samples, int]:
    """Steps that carry more than ``threshold`` of weight in the `density` of a radiance field, and
    how many times its ``level`` was asked."""
    steps = march(origins, directions, occupancy, DENSITY_STEP, jitter)
    alphas = density_alpha(
        level(steps.positions(origins, directions)), steps.t_ends - steps.t_starts
    )
    weights, _ = composite(alphas, alphas[:, None], steps.ray_starts)
    return steps.keep(weights > threshold), len(alphas)


REFINE = 4
"""Fine steps in a coarse one."""


def refine(samples: Samples, near_surface: Tensor) -> Samples:
    """`REFINE` equal steps in place of each one where ``near_surface`` [S] is true, none where it
    is not."""
    kept = samples.keep(near_surface)
    part = (kept.t_ends - kept.t_starts) / REFINE
    k = torch.arange(REFINE, device=part.device)
    starts = (kept.t_starts[:, None] + part[:, None] * k).reshape(-1)
    return Samples(starts, starts + part.repeat_interleave(REFINE), kept.ray_starts * REFINE)


@torch.no_grad()
def march_to_surface(
    origins: Tensor, directions: Tensor, occupancy: OccupancyGrid, dt: float, jitter: Tensor | None,
    sdf: Callable[[Tensor], Tensor], inv_s: float, cos_anneal_ratio: float, threshold: float,
) -> tuple[Samples, Tensor, int]:
    """Steps of length ``dt`` whose rendering weight, judged by the SDF alone, exceeds
    ``threshold``; of the light that these let through, the share [R] that the others would let
    through too; and how many times the SDF was asked.

    Coarse steps first: where the distance in the middle of one says that the surface and the
    logistic's tail around it are farther off than its ends, or no light gets that far, its fine
    steps need not be looked at.
    """
    kernels = for_device(origins.device)
    coarse = march(origins, directions, occupancy, dt * REFINE, jitter)
    distance = sdf(coarse.positions(origins, directions))
    weights = kernels.neus_weights(  # at the true cosine, which stops the least light
        distance, coarse.t_starts, coarse.t_ends, coarse.ray_starts, inv_s, 1.0
    )
    lit = 1 - coarse.sum_before(weights) > threshold
    tail = 6 / inv_s
    fine = refine(coarse, (distance.abs() < dt * REFINE + tail) & lit)
    values = sdf(fine.positions(origins, directions))
    weights = kernels.neus_weights(
        values, fine.t_starts, fine.t_ends, fine.ray_starts, inv_s, cos_anneal_ratio
    )
    kept = weights > threshold
    ray = fine.ray_indices
    stopped = torch.zeros(2, len(origins), device=origins.device)
    stopped.index_add_(1, ray, torch.stack([weights, weights * kept]))
    through, through_kept = 1 - stopped
    let_through = (through / through_kept.clamp(min=1e-6)).clamp(0, 1)
    let_through[coarse.ray_indices[~lit | (distance < -tail)]] = 0.0
    asked = len(coarse.t_starts) + len(fine.t_starts)
    return fine.keep(kept), let_through, asked
