"""The preview's renderer: step along each ray by the signed distance until the surface."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from core.rendering.occupancy import OccupancyGrid
from core.rendering.sampling import march


@torch.no_grad()
def sphere_trace(
    sdf: Callable[[Tensor], Tensor], origins: Tensor, directions: Tensor,
    occupancy: OccupancyGrid, steps: int = 24, tolerance: float = 1e-3,
) -> tuple[Tensor, Tensor]:
    """Distance t [R] to the surface and whether it was hit [R].

    Source: Hart 1996. Rays start at their first occupied cell and give up behind their last. A
    step of 0.9 of the distance keeps a field whose gradient is not quite unit from being
    overshot; a ray that ends inside the surface is walked back by the (negative) distance.
    """
    lattice = march(origins, directions, occupancy, 1.0 / occupancy.resolution)
    first, last = lattice.ray_starts[:-1], lattice.ray_starts[1:]
    t = torch.zeros(len(origins), device=origins.device)
    hit = torch.zeros(len(origins), dtype=torch.bool, device=origins.device)
    live = (last > first).nonzero()[:, 0]
    if not len(live):
        return t, hit
    t[live] = lattice.t_starts[first[live]]
    end = torch.zeros_like(t)
    end[live] = lattice.t_ends[last[live] - 1]
    for _ in range(steps):
        distance = sdf(origins[live] + directions[live] * t[live, None])
        close = distance.abs() < tolerance
        hit[live[close]] = True
        t[live] += torch.where(close, distance, 0.9 * distance)
        live = live[~close & (t[live] < end[live])]
        if not len(live):
            break
    # what is still crawling along a grazing surface counts as there when it is nearly there
    if len(live):
        distance = sdf(origins[live] + directions[live] * t[live, None])
        hit[live[distance.abs() < 5 * tolerance]] = True
    return t, hit
