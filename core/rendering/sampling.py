"""Where along a ray the field is asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from core.config.run import TrainConfig
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

    def slopes(self, values: Tensor) -> Tensor:
        """[S] growth per unit along the ray of ``values`` [S], from the samples that adjoin each;
        -1, a surface met head on, for a sample by itself. Differentiable."""
        n = len(values)
        if n < 2:
            return torch.full_like(values, -1.0)
        ray, index = self.ray_indices, torch.arange(n, device=values.device)
        gap = self.t_starts[1:] - self.t_ends[:-1]
        adjoin = (ray[1:] == ray[:-1]) & (gap < 0.1 * (self.t_ends[1:] - self.t_starts[1:]))
        low, high = index - F.pad(adjoin, (1, 0)).long(), index + F.pad(adjoin, (0, 1)).long()
        middle = 0.5 * (self.t_starts + self.t_ends)
        spacing = middle[high] - middle[low]
        alone = high == low
        return ((values[high] - values[low]) / spacing.masked_fill(alone, 1.0)).where(~alone, -1.0)

    def keep(self, mask: Tensor) -> Samples:
        """Only the samples where ``mask`` [S] is true."""
        return Samples(self.t_starts[mask], self.t_ends[mask], pack(mask, self.ray_starts))


def random_in_ball(n: int, device: torch.device) -> Tensor:
    """[n, 3] points spread evenly over the unit ball."""
    direction = F.normalize(torch.randn(n, 3, device=device), dim=-1)
    return direction * torch.rand(n, 1, device=device) ** (1 / 3)


def march(
    origins: Tensor,
    directions: Tensor,
    occupancy: OccupancyGrid,
    dt: float,
    jitter: Tensor | None = None,
) -> Samples:
    """Steps of length ``dt`` through occupied space of the region; ``jitter`` [R] in [0, 1)
    shifts each ray's lattice, so that training sees every distance."""
    near, far = _march_range(origins, directions, occupancy, dt, jitter)
    kernels = for_device(origins.device)
    return Samples(*kernels.march(origins, directions, near, far, occupancy.occupied, dt))


def _march_range(
    origins: Tensor,
    directions: Tensor,
    occupancy: OccupancyGrid,
    dt: float,
    jitter: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Where the steps along each ray begin and end [R]."""
    near, far = occupancy.span(origins, directions)
    return (near if jitter is None else near + dt * jitter), far


DENSITY_STEP = TrainConfig.density_step
"""Of a march through density where nobody says how fine, scene units."""
MAX_RAYS_PER_SAMPLE = 8
"""At most, of a density that is almost nothing."""


@torch.no_grad()
def march_through_density(
    origins: Tensor,
    directions: Tensor,
    occupancy: OccupancyGrid,
    dt: float,
    jitter: Tensor | None,
    density_logit: Callable[[Tensor], Tensor],
    threshold: float,
) -> tuple[Samples, int]:
    """March through the density of a radiance field in steps of ``dt``.

    Steps that weigh more than ``threshold`` are kept; if those are very few, the heaviest ones,
    since a density that is never sampled never changes.

    Returns:
        The samples, and the number of evaluations of ``density_logit``.
    """
    steps = march(origins, directions, occupancy, dt, jitter)
    alphas = density_alpha(
        density_logit(steps.positions(origins, directions)), steps.t_ends - steps.t_starts
    )
    weights, _ = composite(alphas, alphas[:, None], steps.ray_starts)
    kept = weights > threshold
    min_kept = min(len(origins) // MAX_RAYS_PER_SAMPLE, len(weights))
    if int(kept.sum()) < min_kept:
        kept = kept.index_fill(0, weights.topk(min_kept).indices, True)
    return steps.keep(kept), len(alphas)


@torch.no_grad()
def march_to_surface(
    origins: Tensor,
    directions: Tensor,
    occupancy: OccupancyGrid,
    dt: float,
    jitter: Tensor | None,
    sdf: Callable[[Tensor], Tensor],
    inv_s: float,
    cos_anneal_ratio: float,
    threshold: float,
) -> tuple[Samples, Tensor, int]:
    """Steps of length ``dt`` whose rendering weight, judged by the SDF alone, exceeds
    ``threshold``; of the light that these let through, the share [R] that the others would let
    through too; and how many times the SDF was asked.

    It is asked only where a step can carry so much weight by the distances that ``occupancy``
    remembers: no farther from the surface than the logistic's tail and what these are off.
    """
    kernels = for_device(origins.device)
    near, far = _march_range(origins, directions, occupancy, dt, jitter)
    tail = math.log(max(dt * inv_s, 1.0) / threshold) / inv_s  # a step there stops less than that
    *steps, ended = kernels.march_near(
        origins, directions, near, far, occupancy.distances, dt, tail + occupancy.error
    )
    samples = Samples(*steps)
    weights = kernels.neus_weights(
        sdf(samples.positions(origins, directions)), *steps, inv_s, cos_anneal_ratio
    )
    kept = weights > threshold
    stopped = torch.zeros(2, len(origins), device=origins.device)
    stopped.index_add_(1, samples.ray_indices, torch.stack([weights, weights * kept]))
    through, through_kept = 1 - stopped
    culled_transmittance = (through / through_kept.clamp(min=1e-6)).clamp(0, 1)
    return samples.keep(kept), culled_transmittance.masked_fill(ended, 0.0), len(weights)
