"""Where the surface can be: a lattice of cells that rays are allowed to skip."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn, no_grad

from core.base.parallel import parallel_map
from core.config.run import TrainConfig
from core.geometry.box import WHOLE_SCENE, Box

POINT_CHUNK = 1 << 14
ALPHA_DECAY = 0.8
"""Share of a cell's opacity that is left when it is looked at again."""
NEGLIGIBLE_ALPHA = TrainConfig.density_skip
NEAR_CELLS = 5.0
"""Cells farther from the surface are measured only at every `FAR_UPDATE_INTERVAL`th update."""
FAR_UPDATE_INTERVAL = 8
N_PROBES = 2048
"""Places that tell how far off the remembered distances are."""
PROBE_QUANTILE = 0.9
"""This share of them is off by no more. The worst are few, and where they make a ray miss samples,
those carry next to nothing."""


@dataclass(frozen=True)
class Crossing:
    """Where rays R cross the region, as distances t along them."""

    near: Tensor
    """[R] entry into the region"""
    far: Tensor
    """[R] exit; far ≤ near where it is missed"""
    t_exit: Tensor
    """[R] exit, or if the region is missed, entry into the ball or the nearest point to it"""

    def __getitem__(self, part: Tensor) -> Crossing:
        return Crossing(self.near[part], self.far[part], self.t_exit[part])


class OccupancyGrid(nn.Module):
    """[G, G, G] cells over [-1, 1]³, x first. A cell is ``occupied`` when the field at it says that
    a sample in it could carry weight. For a surface there are also ``distances``, its SDF at the
    middles of the cells, 1 where no ray goes and 0 before the first update; interpolated between,
    near the surface, they were mostly off by less than ``error`` when last looked at; infinite
    before, and a guess after the first look."""

    occupied: Tensor
    alphas: Tensor
    distances: Tensor
    _error: Tensor
    _updates: Tensor

    def __init__(self, resolution: int, device: torch.device) -> None:
        super().__init__()
        self.resolution = resolution
        shape = (resolution,) * 3
        self.register_buffer("occupied", torch.ones(shape, dtype=torch.bool, device=device))
        self.register_buffer("alphas", torch.zeros(shape, device=device))
        self.register_buffer("distances", torch.zeros(shape, device=device))
        self.register_buffer("_error", torch.tensor(math.inf))
        self.register_buffer("_updates", torch.tensor(0))
        line = (torch.arange(resolution, device=device) + 0.5) * (2 / resolution) - 1
        self._centers = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), -1).view(-1, 3)
        self.set_region(WHOLE_SCENE)

    def set_region(self, region: Box) -> None:
        """From now on only what lies in ``region`` (scene frame), as far as it is in the ball, can
        be met."""
        self.region = region
        self._cube_from_scene = torch.tensor(
            region.cube_from_frame[:3], dtype=torch.float32, device=self._centers.device
        )
        self._within: Tensor | None = None
        self._updates.zero_()  # what was outside before has not been measured

    def restricted_to(self, region: Box) -> OccupancyGrid:
        """What is known of the same cells, for rays that are to meet only what lies in
        ``region``."""
        restricted = copy(self)
        restricted._buffers = dict(self._buffers)
        restricted._updates = self._updates.clone()
        restricted.set_region(region)
        return restricted

    @property
    def within(self) -> Tensor:
        """[G³] the cells that reach into the region and the ball."""
        if self._within is None:
            m, slack = self._cube_from_scene, self.half_diagonal
            reach = 1 + slack * m[:, :3].norm(dim=1)
            in_region = ((self._centers @ m[:, :3].T + m[:, 3]).abs() < reach).all(-1)
            self._within = in_region & (self._centers.norm(dim=-1) < 1 + slack)
        return self._within

    def span(self, origins: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """``t_near, t_far`` [R] between which each ray is in the region and in the unit ball, in
        front of the camera; t_far ≤ t_near where it misses."""
        near, far = ball_range(origins, directions)
        m = self._cube_from_scene
        o, d = origins @ m[:, :3].T + m[:, 3], directions @ m[:, :3].T
        d = torch.where(d.abs() < 1e-9, torch.full_like(d, 1e-9), d)
        one, other = (-1 - o) / d, (1 - o) / d
        first, last = torch.minimum(one, other).amax(-1), torch.maximum(one, other).amin(-1)
        return torch.maximum(near, first), torch.minimum(far, last)

    def crossing(self, origins: Tensor, directions: Tensor) -> Crossing:
        """Where each ray crosses the region."""
        near, far = self.span(origins, directions)
        outside, _ = ball_range(origins, directions)
        return Crossing(near, far, torch.where(far > near, far, outside))

    def occupies(self, points: Tensor) -> Tensor:
        """[N] whether ``points`` [N, 3] lie in occupied cells."""
        cells = ((points + 1) * (self.resolution / 2)).long().clamp(0, self.resolution - 1)
        return self.occupied[cells[:, 0], cells[:, 1], cells[:, 2]]

    @property
    def error(self) -> float:
        return float(self._error)

    @error.setter
    def error(self, value: float) -> None:
        self._error.fill_(value)

    @property
    def half_diagonal(self) -> float:
        """Of a cell, scene units."""
        return math.sqrt(3) / self.resolution

    @no_grad()
    def update(self, sdf: Callable[[Tensor], Tensor], inv_s: float) -> None:
        """Measure the distances again, and mark the cells whose logistic density is not negligible:
        |sdf| at the centre below half the diagonal (the surface may cross) plus the logistic's
        tail, 6 / inv_s, where it has fallen to e⁻⁶. The slack of 1.5 allows for gradients that
        are not unit."""
        band = 1.5 * self.half_diagonal + 6 / inv_s
        before = self.distances if math.isfinite(self.error) else None
        where = self.within
        if before is not None and int(self._updates) % FAR_UPDATE_INTERVAL:
            reach = max(NEAR_CELLS * 2 / self.resolution, band)
            where = where & (before.view(-1).abs() < reach)
        self.distances = self._evaluate(
            sdf, self._centers, where, 1.0 if before is None else before
        )
        self.occupied = self.distances.abs() < band
        self._updates += 1
        if before is None:  # nobody knows yet how fast the surface moves
            self.error = self.half_diagonal
        else:
            self.error = self._lattice_error(sdf, before)

    def _lattice_error(self, sdf: Callable[[Tensor], Tensor], lattice: Tensor) -> float:
        """By how much ``lattice`` is off at random places of occupied cells."""
        cells = self.occupied.view(-1).nonzero()[:, 0]
        if not len(cells):
            return 0.0
        # dice of its own: looking at a preview must not change what training draws
        generator = torch.Generator(cells.device).manual_seed(int(self._updates))
        chosen = torch.randint(len(cells), (N_PROBES,), device=cells.device, generator=generator)
        places = self._random_points_in(cells[chosen], generator)
        return float((sdf(places) - interpolate(lattice, places)).abs().quantile(PROBE_QUANTILE))

    @no_grad()
    def update_density(
        self, alpha: Callable[[Tensor], Tensor], negligible: float = NEGLIGIBLE_ALPHA
    ) -> None:
        """Mark the cells where a step through a radiance field is not of ``negligible`` opacity:
        ``alpha`` at a random place in each, the highest of late remembered (Müller et al. 2022,
        section E.2)."""
        every = torch.arange(len(self._centers), device=self._centers.device)
        found = self._evaluate(alpha, self._random_points_in(every), self.within, 0.0)
        self.alphas = torch.maximum(self.alphas * ALPHA_DECAY, found)
        there = self.alphas[self.alphas > 0]
        mean = float(there.mean()) if len(there) else 0.0
        self.occupied = self.alphas > min(negligible, mean)

    def _random_points_in(self, cells: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """[N, 3] a random place in each of ``cells`` [N]."""
        jitter = torch.rand(len(cells), 3, device=cells.device, generator=generator) * 2 - 1
        return self._centers[cells] + jitter / self.resolution

    def _evaluate(
        self,
        function: Callable[[Tensor], Tensor],
        points: Tensor,
        where: Tensor,
        elsewhere: Tensor | float,
    ) -> Tensor:
        """[G, G, G] values of ``function`` at one of ``points`` [G³, 3] for each cell ``where``
        [G³] is true, ``elsewhere`` in the others."""
        values = torch.empty(len(points), device=points.device)
        values[:] = elsewhere.view(-1) if isinstance(elsewhere, Tensor) else elsewhere
        parts = where.nonzero()[:, 0].split(POINT_CHUNK)
        for index, found in zip(parts, parallel_map(no_grad(lambda i: function(points[i])), parts)):
            values[index] = found
        return values.view(self.occupied.shape)


def ball_range(origins: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """``t_near, t_far`` [R] in which each ray is inside the unit ball and in front of the camera;
    t_far ≤ t_near where it misses."""
    along = (origins * directions).sum(-1)
    discriminant = along**2 - (origins**2).sum(-1) + 1
    root = discriminant.clamp(min=0).sqrt()
    near = (-along - root).clamp(min=0.02)
    return near, torch.where(discriminant > 0, -along + root, torch.full_like(along, -1.0))


def interpolate(lattice: Tensor, points: Tensor) -> Tensor:
    """[N] of the values ``lattice`` [G, G, G] at the middles of cells over [-1, 1]³, x first, at
    ``points`` [N, 3]: trilinear, and held beyond the outermost."""
    where = points.flip(-1)[None, None, None]  # grid_sample takes the last axis first
    found = F.grid_sample(lattice[None, None], where, padding_mode="border", align_corners=False)
    return found.view(-1)
