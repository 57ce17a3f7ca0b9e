"""An explicit grid: density and colour at the corners of N³ cells, interpolated between.

Source: the plain grids before hash tables (Fridovich-Keil, Yu et al. 2022, "Plenoxels", section 3),
dense, with the colour as spherical harmonics of the view direction; coarse to fine by doubling N
(section 3.3).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from core.config.run import FieldConfig
from core.field.base import Field
from core.field.color import Color, spherical_harmonics
from core.field.contraction import REACH, Frustums, contract, far_density_bias
from core.field.hash_grid import HashGrid
from core.kernels import GridLayout

CHUNK = 1 << 18
CONSTANT_HARMONIC = 0.28209479177387814
FOG = 0.4
"""The level at the start: density 0.55 per unit."""
STEEP = 0.3
"""Levels per unit of what a corner stores, so that one rate of learning suits density and
colour."""


class VoxelField(Field):
    """Level of detail l of L has N / 2^(L - l) cells along [-1, 1], or of all of space along the
    domain [-2, 2] of contracted space. It begins with the coarsest
    grid alone, a thin fog through which every photo sees all, and is refined when it is to `grow`;
    coarser levels of a fine grid are made of its corners that the
    coarser grid has too."""

    def __init__(self, config: FieldConfig) -> None:
        super().__init__(config.n_levels)
        self.config = config
        self.grid = self._dense(self.resolution(1))
        self.active_levels = 1

    def resolution(self, level: int) -> int:
        """Cells along the domain of this level of detail."""
        return max(2, self.config.finest_resolution >> (self.n_levels - level))

    @property
    def _has(self) -> int:
        """Levels of detail that the grid has."""
        now = int(self.grid.layout.resolutions[0])
        return next(i for i in range(1, self.n_levels + 1) if self.resolution(i) == now)

    @property
    def floats_per_sample(self) -> float:
        return 3.0 + channels(self.config)

    def cell_size(self, levels: float) -> float:
        return 2 * self._reach / self.resolution(max(1, int(levels)))

    @property
    def _reach(self) -> float:
        return REACH if self.config.unbounded else 1.0

    def _dense(self, resolution: int) -> HashGrid:
        return HashGrid(_dense(self.config, resolution), self._reach)

    @torch.no_grad()
    def grow(self, levels: float) -> bool:
        wanted = min(int(levels), self.n_levels)
        if wanted <= self._has:
            return False
        device = self.grid.table.device
        fine = self._dense(self.resolution(wanted)).to(device)
        corners = self._corners(self.resolution(wanted) if device.type != "meta" else 0)
        for some in torch.arange(len(corners), device=corners.device).split(CHUNK):
            fine.table[some] = self.grid(corners[some], 1.0)
        self.grid = fine
        return True

    def _corners(self, resolution: int) -> Tensor:
        """[N, 3] in the order of the table, x fastest."""
        reach = self._reach
        line = torch.linspace(-reach, reach, resolution + 1, device=self.grid.table.device)
        return torch.cartesian_prod(line, line, line).flip(-1)

    def sdf_and_features(
        self, positions: Tensor, levels: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        fog: float | Tensor = FOG
        if self.config.unbounded:
            fog, positions = FOG - far_density_bias(positions), contract(positions)
        out = self._at(max(1, int(self.limit(levels))))(positions, 1.0)
        return fog - STEEP * out[:, 0], out[:, 1:]

    def _at(self, level: int) -> HashGrid:
        """The grid as coarse as ``level``."""
        if level >= self._has:
            return self.grid
        n, every = self.grid.layout.resolutions[0] + 1, 2 ** (self._has - level)
        corners = self.grid.table.detach().view(n, n, n, -1)[::every, ::every, ::every]
        coarse = self._dense(self.resolution(level))
        coarse.table = nn.Parameter(corners.reshape(-1, corners.shape[-1]), requires_grad=False)
        return coarse


class HarmonicColor(Color):
    """The field's features are the coefficients, three for each spherical harmonic."""

    def __init__(self, config: FieldConfig) -> None:
        super().__init__()
        self.degree = config.direction_degree
        self.floats_per_sample = 6.0 * self.degree**2

    def forward(
        self,
        positions: Tensor,
        normals: Tensor | None,
        directions: Tensor,
        features: Tensor,
        appearance: Tensor | None,
        levels: float | None = None,
    ) -> Tensor:
        basis = spherical_harmonics(directions, self.degree)
        coefficients = features[:, : 3 * self.degree**2].reshape(-1, 3, self.degree**2)
        return torch.sigmoid((coefficients * basis[:, None]).sum(-1) / CONSTANT_HARMONIC)


def channels(config: FieldConfig) -> int:
    """Numbers of a corner: density, colour; even, as the kernels want them."""
    return 2 * math.ceil((1 + 3 * config.direction_degree**2) / 2)


def n_bytes(config: FieldConfig) -> int:
    """Of the finest grid."""
    return 4 * channels(config) * (config.finest_resolution + 1) ** 3


def _dense(config: FieldConfig, resolution: int) -> GridLayout:
    fits = math.ceil(3 * math.log2(resolution + 1))
    return GridLayout.create(1, channels(config), fits, resolution, resolution)
