"""Where the surface can be: a coarse grid of cells that rays are allowed to skip."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, no_grad

from core.lanes import lane_map

CHUNK = 1 << 14


class OccupancyGrid:
    """[G, G, G] cells over [-1, 1]³, x first. A cell is ``occupied`` when the SDF at it says that
    a sample in it could carry weight at the present sharpness."""

    def __init__(self, resolution: int, device: torch.device) -> None:
        self.resolution = resolution
        self.occupied = torch.ones((resolution,) * 3, dtype=torch.bool, device=device)
        line = (torch.arange(resolution, device=device) + 0.5) * (2 / resolution) - 1
        self._centers = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), -1).view(-1, 3)
        self._in_ball = self._centers.norm(dim=-1) < 1 + math.sqrt(3) / resolution

    @property
    def half_diagonal(self) -> float:
        """Of a cell, scene units."""
        return math.sqrt(3) / self.resolution

    def update(self, sdf: Callable[[Tensor], Tensor], inv_s: float) -> None:
        """Mark the cells whose logistic density is not negligible: |sdf| at the centre below half
        the diagonal (the surface may cross) plus the logistic's tail, 6 / inv_s, where it has
        fallen to e⁻⁶. The slack of 1.5 allows for gradients that are not unit."""
        band = 1.5 * self.half_diagonal + 6 / inv_s
        occupied = torch.zeros_like(self.occupied).view(-1)
        parts = self._in_ball.nonzero()[:, 0].split(CHUNK)
        near = lane_map(no_grad(lambda index: sdf(self._centers[index]).abs() < band), parts)
        for index, is_near in zip(parts, near):
            occupied[index] = is_near
        self.occupied = occupied.view(self.occupied.shape)
