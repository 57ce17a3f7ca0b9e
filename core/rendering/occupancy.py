"""Where the surface can be: a coarse grid of cells that rays are allowed to skip."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, no_grad

from core.lanes import lane_map

CHUNK = 1 << 14
REMEMBERED = 0.8
"""Share of a cell's opacity that is left when it is looked at again."""
NEGLIGIBLE_ALPHA = 0.05
SAMPLES = 4096
"""of the changed distances tell how much they change"""


class OccupancyGrid:
    """[G, G, G] cells over [-1, 1]³, x first. A cell is ``occupied`` when the SDF at it says that
    a sample in it could carry weight at the present sharpness; ``distances`` are those SDF values,
    1 beyond the ball, 0 before the first update; near the surface nearly all of them changed by
    less than ``drift`` when they were last updated."""

    def __init__(self, resolution: int, device: torch.device) -> None:
        self.resolution = resolution
        self.occupied = torch.ones((resolution,) * 3, dtype=torch.bool, device=device)
        self.alphas = torch.zeros((resolution,) * 3, device=device)
        self.distances = torch.zeros_like(self.alphas)
        self.drift = math.inf
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
        before, self.distances = self.distances, self._asked(sdf, self._centers, 1.0)
        self.occupied = self.distances.abs() < band
        changes = (self.distances - before)[self.occupied].abs()
        some = changes[:: max(1, len(changes) // SAMPLES)]
        self.drift = float(some.quantile(0.99)) if len(some) else 0.0

    def update_density(self, alpha: Callable[[Tensor], Tensor]) -> None:
        """Mark the cells where a step through a radiance field is not of negligible opacity:
        ``alpha`` at a random place in each, the highest of late remembered (Müller et al. 2022,
        section E.2)."""
        jitter = torch.rand_like(self._centers) * 2 - 1
        found = self._asked(alpha, self._centers + jitter / self.resolution, 0.0)
        self.alphas = torch.maximum(self.alphas * REMEMBERED, found)
        there = self.alphas[self.alphas > 0]
        mean = float(there.mean()) if len(there) else 0.0
        self.occupied = self.alphas > min(NEGLIGIBLE_ALPHA, mean)

    @no_grad()
    def _asked(
        self, function: Callable[[Tensor], Tensor], points: Tensor, elsewhere: float = math.inf
    ) -> Tensor:
        """[G, G, G] values of ``function`` at one of ``points`` [G³, 3] for each cell in the ball,
        ``elsewhere`` beyond it."""
        values = torch.full((len(points),), elsewhere, device=points.device)
        parts = self._in_ball.nonzero()[:, 0].split(CHUNK)
        for index, found in zip(parts, lane_map(no_grad(lambda i: function(points[i])), parts)):
            values[index] = found
        return values.view(self.occupied.shape)
