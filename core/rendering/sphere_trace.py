"""The preview's renderer: step along each ray by the signed distance until the surface."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from core.kernels import for_device
from core.rendering.occupancy import OccupancyGrid

MAX_STEPS = 20
FEW_RAYS = 1 / 128
"""Where so small a share of the rays is left, a hit may be twice as far off: it is those that graze
the surface, and each further step costs them as much as hundreds."""


@torch.no_grad()
def sphere_trace(
    sdf: Callable[[Tensor], Tensor],
    origins: Tensor,
    directions: Tensor,
    occupancy: OccupancyGrid,
    tolerance: float,
) -> tuple[Tensor, Tensor]:
    """Distance t [R] to the surface and whether it was hit [R]; ``tolerance`` is an angle: so much
    may a hit be off, seen from the ray's origin.

    Source: Hart 1996, with the slope along the ray, known from the step before, in place of 1: a
    ray that grazes takes larger steps, one that went through the surface is brought back. Free
    space is crossed by the distances that ``occupancy`` remembers; the field is asked only within
    half a cell, or what they are off if that is more, of where these say the surface is.
    """
    kernels = for_device(origins.device)
    lattice, half_cell = occupancy.distances, 1.0 / occupancy.resolution
    near = max(half_cell, occupancy.error)
    t, end = occupancy.span(origins, directions)
    hit = torch.zeros(len(t), dtype=torch.bool, device=t.device)
    t = kernels.approach(origins, directions, t, end, lattice, near)
    live = (t < end).nonzero()[:, 0]
    o, d, at, end = origins[live], directions[live], t[live], end[live]
    t_outside, outside = at, torch.zeros_like(at)  # the last place outside and its distance
    for _ in range(MAX_STEPS):
        if not len(live):
            break
        distance = sdf(torch.addcmul(o, d, at[:, None]))
        fall = (outside - distance) / (at - t_outside).clamp(min=1e-6)
        fall = torch.where(outside > 0, fall.clamp(min=0.3), 1.0)
        ahead = at + (distance / fall).clamp(max=half_cell)
        reach = tolerance * (1 + FEW_RAYS * len(t) / len(live)) * at
        there, inside = distance.abs() < reach, distance < 0
        done = live[there]
        t[done], hit[done] = ahead[there], True
        outside, t_outside = distance.where(~inside, outside), at.where(~inside, t_outside)
        at = ahead.where(inside, kernels.approach(o, d, ahead, end, lattice, near))
        going = (~there & (at < end)).nonzero()[:, 0]
        live, o, d, at, end = live[going], o[going], d[going], at[going], end[going]
        t_outside, outside = t_outside[going], outside[going]
    return t, hit
