"""Volumes of a few numbers, and of any function of Python."""

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

SIDE = 0.3
"""Half of a box's at first, scene units."""
SHARPNESS, SHARPEST = 20.0, 3000.0
"""By how many powers of e per scene unit the density falls outside a box, at its first level of
detail and at its last."""


FULL = -0.25
"""The level at which density is at its cap for long; far below it would be no number."""


class BoxVolume(Field):
    """A box along the axes of the scene: ``center`` [3] and half its sides [3] are all that is
    learnt of its shape. Outside its density falls with the distance, the steeper the more levels
    of detail, so that photos which the box does not cover yet still draw it there."""

    def __init__(self, config: FieldConfig) -> None:
        super().__init__(config.n_levels)
        self.center = nn.Parameter(torch.zeros(3))
        self.log_half = nn.Parameter(torch.full((3,), math.log(SIDE)))
        self.active_levels = 1

    @property
    def half(self) -> Tensor:
        """[3] half of the sides, scene units."""
        return self.log_half.exp()

    @property
    def floats_per_sample(self) -> float:
        return 12.0

    def cell_size(self, levels: float) -> float:
        return 0.5 / self._sharpness(levels)

    def _sharpness(self, levels: float) -> float:
        share = (levels - 1) / max(self.n_levels - 1, 1)
        return SHARPNESS * (SHARPEST / SHARPNESS) ** min(max(share, 0.0), 1.0)

    def distance(self, positions: Tensor) -> Tensor:
        """[N] signed, scene units, to the faces of the box."""
        beyond = (positions - self.center).abs() - self.half
        return beyond.clamp(min=0).norm(dim=-1) + beyond.amax(-1).clamp(max=0)

    def sdf_and_features(
        self, positions: Tensor, levels: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        steep = self._sharpness(self.limit(levels)) / DENSITY_SLOPE
        level = (steep * self.distance(positions)).clamp(min=FULL)
        return level, positions.new_zeros(len(positions), 0)


class BoxInWorld(BoxVolume):
    """The same box in a world: beyond the ball a density of all of space is asked instead, whose
    features tell colours everywhere."""

    def __init__(self, config: FieldConfig) -> None:
        super().__init__(config)
        self.world = SdfField(config)

    @property
    def floats_per_sample(self) -> float:
        return super().floats_per_sample + self.world.floats_per_sample

    def sdf_and_features(
        self, positions: Tensor, levels: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        box, _ = super().sdf_and_features(positions, levels)
        world, features = self.world.sdf_and_features(positions, None, frustums)
        return torch.where(positions.norm(dim=-1) < 1, box, world), features


class FunctionVolume(Field):
    """Any ``function`` of positions [N, 3] to densities [N], per scene unit, and colours [N, 3]."""

    def __init__(self, function: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
        super().__init__(1)
        self.function = function

    @property
    def floats_per_sample(self) -> float:
        return 0.0

    def cell_size(self, levels: float) -> float:
        return 1 / 256

    def sdf_and_features(
        self, positions: Tensor, levels: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        density, color = self.function(positions)
        level = -(density.clamp(min=1e-9) / DENSITY_AT_LEVEL).log() / DENSITY_SLOPE
        return level, color


class FeaturesAsColor(Color):
    """The field's features are sRGB."""

    floats_per_sample = 0.0

    def forward(
        self,
        positions: Tensor,
        normals: Tensor | None,
        directions: Tensor,
        features: Tensor,
        appearance: Tensor | None,
        levels: float | None = None,
    ) -> Tensor:
        return features
