"""A dense voxel grid: density and colour at the corners of N³ cells, interpolated trilinearly.

Source: Fridovich-Keil, Yu et al. 2022, "Plenoxels", section 3, but dense; colour as spherical
harmonics of the view direction; coarse to fine by doubling N (section 3.3).
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

CORNER_CHUNK = 1 << 18
CONSTANT_HARMONIC = 0.28209479177387814
INIT_DENSITY_LOGIT = 0.4
"""The level at the start: density 0.55 per unit."""
LOGIT_SCALE = 0.3
"""Levels per unit of what a corner stores, so that one rate of learning suits density and
colour."""


class VoxelField(Field):
    """Level of detail l of L has N / 2^(L - l) cells along the domain.

    The domain is [-1, 1], or [-2, 2] of contracted space. The field starts as the coarsest grid, a
    thin fog, and is refined by `grow`; coarser levels of a fine grid use the corners that both
    have.
    """

    def __init__(self, config: FieldConfig) -> None:
        super().__init__(config.n_levels)
        self.config = config
        self.grid = self._dense(self.resolution(1))
        self.active_levels = 1

    def resolution(self, level: int) -> int:
        """Return the cells along the domain of this level of detail."""
        return max(2, self.config.finest_resolution >> (self.n_levels - level))

    @property
    def _grid_level(self) -> int:
        """Level of detail of the grid."""
        now = int(self.grid.layout.resolutions[0])
        return next(i for i in range(1, self.n_levels + 1) if self.resolution(i) == now)

    @property
    def floats_per_sample(self) -> float:
        return 3.0 + channels(self.config)

    def cell_size(self, lod: float) -> float:
        return 2 * self._reach / self.resolution(max(1, int(lod)))

    @property
    def _reach(self) -> float:
        return REACH if self.config.unbounded else 1.0

    def _dense(self, resolution: int) -> HashGrid:
        return HashGrid(_dense(self.config, resolution), self._reach)

    @torch.no_grad()
    def grow(self, lod: float) -> bool:
        wanted = min(int(lod), self.n_levels)
        if wanted <= self._grid_level:
            return False
        device = self.grid.table.device
        fine = self._dense(self.resolution(wanted)).to(device)
        corners = self._corners(self.resolution(wanted) if device.type != "meta" else 0)
        for part in torch.arange(len(corners), device=corners.device).split(CORNER_CHUNK):
            fine.table[part] = self.grid(corners[part], 1.0)
        self.grid = fine
        return True

    def _corners(self, resolution: int) -> Tensor:
        """Return the corners [N, 3] in the order of the table, x fastest."""
        reach = self._reach
        line = torch.linspace(-reach, reach, resolution + 1, device=self.grid.table.device)
        return torch.cartesian_prod(line, line, line).flip(-1)

    def value_and_features(
        self, positions: Tensor, lod: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        fog: float | Tensor = INIT_DENSITY_LOGIT
        if self.config.unbounded:
            fog, positions = INIT_DENSITY_LOGIT - far_density_bias(positions), contract(positions)
        out = self._at(max(1, int(self.effective_lod(lod))))(positions, 1.0)
        return fog - LOGIT_SCALE * out[:, 0], out[:, 1:]

    def _at(self, level: int) -> HashGrid:
        """Return the grid downsampled to ``level``."""
        if level >= self._grid_level:
            return self.grid
        n, stride = self.grid.layout.resolutions[0] + 1, 2 ** (self._grid_level - level)
        corners = self.grid.table.detach().view(n, n, n, -1)[::stride, ::stride, ::stride]
        coarse = self._dense(self.resolution(level))
        coarse.table = nn.Parameter(corners.reshape(-1, corners.shape[-1]), requires_grad=False)
        return coarse


class HarmonicColor(Color):
    """The features of the field are three coefficients per spherical harmonic."""

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
        lod: float | None = None,
    ) -> Tensor:
        basis = spherical_harmonics(directions, self.degree)
        coefficients = features[:, : 3 * self.degree**2].reshape(-1, 3, self.degree**2)
        return torch.sigmoid((coefficients * basis[:, None]).sum(-1) / CONSTANT_HARMONIC)


def channels(config: FieldConfig) -> int:
    """Return the floats per corner: density and colour; even, as the kernels need."""
    return 2 * math.ceil((1 + 3 * config.direction_degree**2) / 2)


def n_bytes(config: FieldConfig) -> int:
    """Return the size of the finest grid."""
    return 4 * channels(config) * (config.finest_resolution + 1) ** 3


def _dense(config: FieldConfig, resolution: int) -> GridLayout:
    fits = math.ceil(3 * math.log2(resolution + 1))
    return GridLayout.create(1, channels(config), fits, resolution, resolution)
