"""The original NeRF: coarse and fine networks over a positional encoding.

Source: Mildenhall et al. 2020, "NeRF", sections 4 and 5 and figure 7. Density is a softplus, which
never stops learning as the published ReLU can (Barron et al. 2021, "Mip-NeRF", section 3.1). An
unbounded field is evaluated in contracted space, over frustums where they are known.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.config.mesh import DENSITY_AT_LEVEL
from core.config.run import FieldConfig
from core.field.base import DENSITY_SLOPE, Field
from core.field.color import Color
from core.field.contraction import Frustums, contract, far_density_bias

COARSE, FINE = 1, 2
"""The levels of detail are the two networks."""
DENSITY_SCALE = 2.0
"""Density per unit of the softplus: about 0.6 per scene unit at the start."""
FD_STEP = 1 / 128
"""Of the finite differences, scene units."""


def positional_encoding(x: Tensor, n_frequencies: int, variances: Tensor | None = None) -> Tensor:
    """Return the encoding [N, 3 + 6·L] of ``x`` [N, 3] (NeRF, eq. 4).

    ``x`` itself, as in the published code, then sin and cos of 2^k π x for k = 0 … L-1. With
    ``variances`` [N, 3] their mean over normal distributions around ``x`` (Mip-NeRF, eq. 14).
    """
    scales = math.pi * 2.0 ** torch.arange(n_frequencies, device=x.device)
    angles = (x[:, None] * scales[:, None]).flatten(1)
    sin, cos = angles.sin(), angles.cos()
    if variances is not None:
        left = torch.exp(-0.5 * variances[:, None] * scales[:, None] ** 2).flatten(1)
        sin, cos = sin * left, cos * left
    return torch.cat([x, sin, cos], -1)


class _Network(nn.Module):
    """``sdf_layers`` layers with a skip connection in the middle."""

    def __init__(self, config: FieldConfig) -> None:
        super().__init__()
        self.n_frequencies, self.unbounded = config.n_frequencies, config.unbounded
        n_in, width = 3 + 6 * config.n_frequencies, config.sdf_width
        self.skip = config.sdf_layers // 2 + 1
        sizes = [n_in] + [width] * config.sdf_layers
        self.hidden = nn.ModuleList(
            nn.Linear(a + n_in * (i == self.skip), b) for i, (a, b) in enumerate(pairwise(sizes))
        )
        self.density = nn.Linear(width, 1)
        self.features = nn.Linear(width, config.n_geometry_features)

    def forward(self, positions: Tensor, frustums: Frustums | None = None) -> tuple[Tensor, Tensor]:
        """Return densities [N] per scene unit and features [N, G]."""
        variances = None
        if self.unbounded:
            variances = None if frustums is None else frustums.variances(positions)
            positions = contract(positions)
        x = h = positional_encoding(positions, self.n_frequencies, variances)
        for i, layer in enumerate(self.hidden):
            h = F.relu(layer(torch.cat([x, h], -1) if i == self.skip else h))
        return DENSITY_SCALE * F.softplus(self.density(h)[:, 0] - 1), self.features(h)


class NerfField(Field):
    """Coarse and fine networks.

    ``ray_samples``: uniform samples along a ray, for the coarse network, and additional ones by
    importance; the fine network is evaluated at all of them.
    """

    def __init__(self, config: FieldConfig) -> None:
        super().__init__(FINE)
        self.config = config
        self.ray_samples = config.ray_samples
        self.coarse, self.fine = _Network(config), _Network(config)

    @property
    def floats_per_sample(self) -> float:
        config, (even, more) = self.config, self.config.ray_samples
        inputs = 3 + 6 * config.n_frequencies
        of_one = 2 * inputs + config.sdf_width * (config.sdf_layers + 1)
        return of_one * (1 + even / (even + more))

    def cell_size(self, lod: float) -> float:
        return FD_STEP

    def value_and_features(
        self, positions: Tensor, lod: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        network = self.coarse if self.effective_lod(lod) < FINE else self.fine
        density, features = network(positions, frustums)
        level = -(density.clamp(min=1e-9) / DENSITY_AT_LEVEL).log() / DENSITY_SLOPE
        return level - far_density_bias(positions) if self.config.unbounded else level, features


class _Head(nn.Module):
    def __init__(self, config: FieldConfig, n_more: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(config.n_geometry_features + n_more, config.color_width)
        self.out = nn.Linear(config.color_width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.out(F.relu(self.hidden(x))))


class NerfColor(Color):
    """The last layers of both networks: features and view direction → colour."""

    def __init__(self, config: FieldConfig) -> None:
        super().__init__()
        self.n_frequencies = config.n_direction_frequencies
        n_more = 3 + 6 * self.n_frequencies + config.appearance_size
        self.coarse, self.fine = _Head(config, n_more), _Head(config, n_more)
        self.floats_per_sample = float(config.n_geometry_features + n_more + config.color_width)

    def forward(
        self,
        positions: Tensor,
        normals: Tensor | None,
        directions: Tensor,
        features: Tensor,
        appearance: Tensor | None,
        lod: float | None = None,
    ) -> Tensor:
        parts = [features, positional_encoding(directions, self.n_frequencies)]
        if appearance is not None:
            parts.append(appearance)
        head = self.coarse if lod is not None and lod < FINE else self.fine
        return head(torch.cat(parts, -1))
