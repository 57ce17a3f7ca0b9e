"""The interface of every field, with default implementations.

A field maps a point to an *implicit value*, negative inside objects: a signed distance for a
surface, a density logit for a radiance field (`core.rendering.volume.density`). Rendering, meshing
and measuring use nothing but this interface.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from core.field.contraction import Frustums

# Offsets of the finite differences, in units of the step: the tetrahedron's corners at ε/√3 each,
# the four face diagonals of a cube.
TETRAHEDRON = ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1))


DENSITY_SLOPE, MAX_DENSITY = 10.0, 220.0
"""What a level stands for, per scene unit: from `DENSITY_AT_LEVEL` at level 0 a density grows by
e^10 per unit inwards, up to a cap, at which a step of a march still lets some light through to what
lies behind."""


@dataclass(frozen=True)
class FieldSamples:
    """Values of a field at N points, and derivatives at M of them."""

    sdf: Tensor
    """[N] implicit values"""
    features: Tensor
    """[N, G] for the colour network"""
    gradients: Tensor
    """[M, 3] ∇ of the implicit value, not normalised"""
    laplacian: Tensor | None
    """[M]; None with analytic gradients"""


class Field(nn.Module, ABC):
    """Maps positions in scene units to an implicit value and features.

    Subclasses implement `value_and_features`, and `cell_size` if they have levels of detail (LOD),
    counted from the coarsest, 1, to ``n_levels``. ``active_levels`` is set by the schedule and
    saved with checkpoints, so that preview, mesh and training use the same field.
    """

    _active: Tensor
    ray_samples: tuple[int, int] | None = None
    """Where its coarsest level says where along a ray to ask: how many even steps that is asked at,
    and how many more there are then; None: rays are marched."""

    def __init__(self, n_levels: int) -> None:
        super().__init__()
        self.n_levels = n_levels
        self.register_buffer("_active", torch.tensor(float(n_levels)))

    @property
    def active_levels(self) -> float:
        return float(self._active)

    @active_levels.setter
    def active_levels(self, value: float) -> None:
        self._active.fill_(value)

    def grow(self, lod: float) -> bool:
        """Allocate parameters for ``lod`` levels without changing any value.

        Returns:
            whether parameters were replaced.
        """
        return False

    @property
    @abstractmethod
    def floats_per_sample(self) -> float:
        """Floats that one sample stores for the backward pass."""

    @abstractmethod
    def cell_size(self, lod: float) -> float:
        """Return the length in scene units below which level of detail ``lod`` has no detail."""

    @abstractmethod
    def value_and_features(
        self, positions: Tensor, lod: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        """Evaluate the field.

        Args:
            positions: [N, 3], scene units.
            lod: upper limit of the active levels of detail.
            frustums: the conical frustums whose centres are ``positions``, if known; an unbounded
                field then leaves out detail that is too fine to be resolved.

        Returns:
            Implicit values [N], and features [N, G] for the colour network.
        """

    def implicit_value(self, positions: Tensor, lod: float | None = None) -> Tensor:
        """Return the implicit values [N] at ``positions`` [N, 3]."""
        return self.value_and_features(positions, lod)[0]

    def effective_lod(self, lod: float | None) -> float:
        """Return the active levels of detail, limited to ``lod``."""
        active = self.active_levels
        return active if lod is None else min(active, lod)

    def samples(
        self,
        positions: Tensor,
        lod: float | None = None,
        *,
        fd_indices: Tensor | None = None,
        analytic: bool = False,
    ) -> FieldSamples:
        """Evaluate the values, features and derivatives that rendering and losses need.

        Args:
            positions: [N, 3], scene units.
            lod: upper limit of the active levels of detail.
            fd_indices: [M] indices of the positions whose gradients are computed; None: all.
            analytic: cheaper, less smooth gradients suffice.
        """
        sdf, features = self.value_and_features(positions, lod)
        some = positions if fd_indices is None else positions[fd_indices]
        middle = sdf if fd_indices is None else sdf[fd_indices]
        step = self.cell_size(self.effective_lod(lod)) / math.sqrt(3)
        offsets = positions.new_tensor(TETRAHEDRON)
        stencil_points = (some[:, None] + step * offsets).view(-1, 3)
        stencil_values = self.implicit_value(stencil_points, lod).view(-1, len(offsets))
        laplacian = (0.5 * stencil_values.sum(1) - 2 * middle) / step**2
        return FieldSamples(sdf, features, stencil_values @ offsets / (4 * step), laplacian)

    def level_gradients(self, positions: Tensor, lod: float | None = None) -> tuple[Tensor, Tensor]:
        """Return the gradients [N, 3] and each level's contribution to them, [N, L, 3]."""
        most = self.effective_lod(lod)
        steps = [
            self.samples(positions, min(i + 1.0, most)).gradients for i in range(self.n_levels)
        ]
        parts = torch.stack([steps[0], *(b - a for a, b in pairwise(steps))], 1)
        return steps[-1], parts
