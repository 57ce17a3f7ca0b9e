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
        self.known_empty = torch.zeros_like(self.occupied)
        line = (torch.arange(resolution, device=device) + 0.5) * (2 / resolution) - 1
        self._centers = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), -1).view(-1, 3)
        self._in_ball = self._centers.norm(dim=-1) < 1 + math.sqrt(3) / resolution

    @property
    def half_diagonal(self) -> float:
        """Of a cell, scene units."""
        return math.sqrt(3) / self.resolution

    def update(self, sdf: Callable[[Tensor], Tensor], inv_s: float, fog: bool = False) -> None:
        """Mark the cells whose logistic density is not negligible: |sdf| at the centre below half
        the diagonal (the surface may cross) plus the logistic's tail, 6 / inv_s, where it has
        fallen to e⁻⁶. The slack of 1.5 allows for gradients that are not unit. In ``fog`` all of
        the inside counts too."""
        band = 1.5 * self.half_diagonal + 6 / inv_s

        def is_near(distance: Tensor) -> Tensor:
            return (distance if fog else distance.abs()) < band

        occupied = torch.zeros_like(self.occupied).view(-1)
        parts = self._in_ball.nonzero()[:, 0].split(CHUNK)
        near = lane_map(no_grad(lambda index: is_near(sdf(self._centers[index]))), parts)
        for index, flags in zip(parts, near):
            occupied[index] = flags
        self.occupied = occupied.view(self.occupied.shape) & ~self.known_empty

    def mark_empty(self, sdf: Callable[[Tensor], Tensor], margin: float) -> None:
        """Take cells that are farther than ``margin`` outside the surface, and all cells around
        them too, as known to be empty from now on: no ray stops there, whatever the field says."""
        parts = torch.arange(len(self._centers), device=self._centers.device).split(CHUNK)
        near = lane_map(no_grad(lambda index: sdf(self._centers[index]) < margin), parts)
        grid = torch.cat(near).view(1, 1, *self.occupied.shape).float()
        around = torch.nn.functional.max_pool3d(grid, 5, stride=1, padding=2)
        self.known_empty = around[0, 0] == 0

    def empty_points(self, n: int) -> Tensor:
        """[n, 3] random points in cells known to be empty, inside the ball; none if there are no
        such cells."""
        cells = (self.known_empty.view(-1) & self._in_ball).nonzero()[:, 0]
        if not len(cells):
            return self._centers[:0]
        chosen = cells[torch.randint(len(cells), (n,), device=cells.device)]
        jitter = torch.rand(n, 3, device=cells.device) * 2 - 1
        return self._centers[chosen] + jitter / self.resolution
