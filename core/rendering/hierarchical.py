"""Steps along rays where they matter: even ones first, then more where those found something.

Source: Mildenhall et al. 2020, "NeRF", section 5.2. Letters: a ray has N even steps between N + 1
*edges*, and M more places drawn from what the steps weigh.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from core.rendering.occupancy import OccupancyGrid
from core.rendering.sampling import Samples
from core.rendering.volume import density_alpha

MIN_WEIGHT = 1e-5
"""Weight that each step gets beside its own, so that none is never looked at again."""


def even_edges(near: Tensor, far: Tensor, n: int, jitter: Tensor | None) -> Tensor:
    """[R, N + 1] distances from ``near`` to ``far`` [R], those between shifted by up to half a
    step with ``jitter`` [R] in [0, 1)."""
    fraction = torch.arange(n + 1, device=near.device) / n + torch.zeros_like(near)[:, None]
    if jitter is not None:
        fraction[:, 1:-1] += (jitter[:, None] - 0.5) / n
    return near[:, None] + (far - near)[:, None] * fraction


def inverse_transform(edges: Tensor, weights: Tensor, m: int, jitter: Tensor | None) -> Tensor:
    """[R, M] increasing places between ``edges`` [R, N + 1], so that a step holds as many as its
    share of the ``weights`` [R, N] says: the inverse of their running sum, at even values, which
    ``jitter`` [R] shifts."""
    total = weights.cumsum(-1)
    cdf = torch.nn.functional.pad(total / total[:, -1:].clamp(min=1e-12), (1, 0))
    offset = 0.5 if jitter is None else jitter[:, None]
    wanted = (torch.arange(m, device=edges.device) + offset) / m
    wanted = wanted.expand(len(edges), m).contiguous()
    step = torch.searchsorted(cdf, wanted, right=True).clamp(1, edges.shape[1] - 1)
    before, after = cdf.gather(1, step - 1), cdf.gather(1, step)
    within = ((wanted - before) / (after - before).clamp(min=1e-12)).clamp(0, 1)
    low, high = edges.gather(1, step - 1), edges.gather(1, step)
    return low + within * (high - low)


@torch.no_grad()
def march_hierarchically(
    origins: Tensor,
    directions: Tensor,
    occupancy: OccupancyGrid,
    counts: tuple[int, int],
    jitter: Tensor | None,
    density_logit: Callable[[Tensor], Tensor],
) -> tuple[Samples, Samples]:
    """The even steps and all of them, both without what lies in empty cells; ``counts``: N and M;
    ``density_logit``: of the density that tells where more are wanted."""
    near, far = occupancy.span(origins, directions)
    edges = even_edges(near, far.clamp(min=near), counts[0], jitter)
    coarse, occupied = _packed(edges, origins, directions, occupancy)
    alphas = torch.zeros(occupied.shape, device=edges.device)
    alphas[occupied] = density_alpha(
        density_logit(coarse.positions(origins, directions)), coarse.t_ends - coarse.t_starts
    )
    transmittance = torch.cumprod(1 - alphas, -1)
    weights = alphas * torch.cat([torch.ones_like(transmittance[:, :1]), transmittance[:, :-1]], -1)
    more = inverse_transform(edges, (weights + MIN_WEIGHT) * occupied, counts[1], jitter)
    both = torch.cat([edges, more], -1).sort(-1).values
    return coarse, _packed(both, origins, directions, occupancy)[0]


def _packed(
    edges: Tensor, origins: Tensor, directions: Tensor, occupancy: OccupancyGrid
) -> tuple[Samples, Tensor]:
    """The steps between ``edges`` [R, N + 1] in occupied cells, and which those are [R, N]."""
    starts, ends = edges[:, :-1], edges[:, 1:]
    middle = 0.5 * (starts + ends)
    positions = origins[:, None] + directions[:, None] * middle[..., None]
    occupied = occupancy.occupies(positions.view(-1, 3)).view(middle.shape) & (ends > starts)
    ray_starts = torch.nn.functional.pad(occupied.sum(-1).cumsum(0), (1, 0))
    return Samples(starts[occupied], ends[occupied], ray_starts), occupied
