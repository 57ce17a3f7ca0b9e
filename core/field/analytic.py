"""Volumes with a handful of parameters, and volumes given by any Python function."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.config.mesh import DENSITY_AT_LEVEL
from core.config.run import FieldConfig
from core.field.base import DENSITY_SLOPE, Field
from core.field.color import Color
from core.field.contraction import Frustums
from core.field.sdf_field import SdfField

INIT_HALF_SIDE = 0.3
"""Half of a box's at first, scene units."""
MIN_SHARPNESS, MAX_SHARPNESS = 20.0, 3000.0
"""By how many powers of e per scene unit the density falls outside a box, at its first level of
detail and at its last."""


MIN_DENSITY_LOGIT = -0.25
"""The level at which density is at its cap for long; far below it would be no number."""


class BoxVolume(Field):
    """An axis-aligned box whose ``center`` [3] and half sides [3] are its only shape parameters.

    Outside the box the density falls with the distance, the more steeply the higher the level of
    detail, so that photos that the box does not cover yet still attract it.
    """

    def __init__(self, config: FieldConfig) -> None:
        super().__init__(config.n_levels)
        self.center = nn.Parameter(torch.zeros(3))
        self.log_half = nn.Parameter(torch.full((3,), math.log(INIT_HALF_SIDE)))
        self.active_levels = 1

    @property
    def half(self) -> Tensor:
        """[3] half of the sides, scene units."""
        return self.log_half.exp()

    @property
    def floats_per_sample(self) -> float:
        return 12.0

    def cell_size(self, lod: float) -> float:
        return 0.5 / self._sharpness(lod)

    def _sharpness(self, lod: float) -> float:
        fraction = (lod - 1) / max(self.n_levels - 1, 1)
        return MIN_SHARPNESS * (MAX_SHARPNESS / MIN_SHARPNESS) ** min(max(fraction, 0.0), 1.0)

    def distance(self, positions: Tensor) -> Tensor:
        """Return the signed distance [N] to the faces of the box, scene units."""
        outside = (positions - self.center).abs() - self.half
        return outside.clamp(min=0).norm(dim=-1) + outside.amax(-1).clamp(max=0)

    def value_and_features(
        self, positions: Tensor, lod: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        steep = self._sharpness(self.effective_lod(lod)) / DENSITY_SLOPE
        level = (steep * self.distance(positions)).clamp(min=MIN_DENSITY_LOGIT)
        return level, positions.new_zeros(len(positions), 0)


class BoxInWorld(BoxVolume):
    """The same box with surroundings: outside the unit ball an unbounded density field is used.

    The features of that field give the colours everywhere.
    """

    def __init__(self, config: FieldConfig) -> None:
        super().__init__(config)
        self.world = SdfField(config)

    @property
    def floats_per_sample(self) -> float:
        return super().floats_per_sample + self.world.floats_per_sample

    def value_and_features(
        self, positions: Tensor, lod: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        box, _ = super().value_and_features(positions, lod)
        world, features = self.world.value_and_features(positions, None, frustums)
        return torch.where(positions.norm(dim=-1) < 1, box, world), features


class FunctionVolume(Field):
    """A volume given by a ``function`` from positions [N, 3] to density [N] and colour [N, 3]."""

    def __init__(self, function: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
        super().__init__(1)
        self.function = function

    @property
    def floats_per_sample(self) -> float:
        return 0.0

    def cell_size(self, lod: float) -> float:
        return 1 / 256

    def value_and_features(
        self, positions: Tensor, lod: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        density, color = self.function(positions)
        level = -(density.clamp(min=1e-9) / DENSITY_AT_LEVEL).log() / DENSITY_SLOPE
        return level, color


class FeaturesAsColor(Color):
    """The features of the field are sRGB colours."""

    floats_per_sample = 0.0

    def forward(
        self,
        positions: Tensor,
        normals: Tensor | None,
        directions: Tensor,
        features: Tensor,
        appearance: Tensor | None,
        lod: float | None = None,
    ) -> Tensor:
        return features
