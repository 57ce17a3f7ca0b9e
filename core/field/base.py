"""What every method's field answers, and what it need not write itself.

A field tells of each point a *level*, negative inside of things: for a surface a signed distance,
for a radiance field what stands for its density (`core.rendering.volume.density`). All that draws,
cuts or measures a scene asks no more than this.
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


DENSITY_SLOPE, DENSITY_MOST = 10.0, 220.0
"""What a level stands for, per scene unit: from `DENSITY_AT_LEVEL` at level 0 a density grows by
e^10 per unit inwards, up to a cap, at which a step of a march still lets some light through to what
lies behind."""


@dataclass(frozen=True)
class FieldSamples:
    """What a field says of N points: ``sdf`` [N], its level; ``features`` [N, G] for the colour;
    and of M of them, which have taps: raw ``gradients`` [M, 3] = ∇sdf, ``laplacian`` [M] (None
    with analytic gradients)."""

    sdf: Tensor
    features: Tensor
    gradients: Tensor
    laplacian: Tensor | None


class Field(nn.Module, ABC):
    """Positions in scene units → level and features. A method's own field says `sdf_and_features`
    and, where it has levels of detail, from the coarsest, 1, to all ``n_levels``, `cell_size`.

    ``active_levels`` is set by the schedule and saved with every checkpoint, so that preview, mesh
    and training see one field.
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

    def grow(self, levels: float) -> bool:
        """Have what it takes for so many active levels; every answer stays what it was. Whether
        parameters were replaced for that."""
        return False

    @property
    @abstractmethod
    def floats_per_sample(self) -> float:
        """Numbers that a point leaves behind for the way back."""

    @abstractmethod
    def cell_size(self, levels: float) -> float:
        """Scene units within which so many levels tell nothing new."""

    @abstractmethod
    def sdf_and_features(
        self, positions: Tensor, levels: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        """Levels [N] and features for the colour network [N, G] of ``positions`` [N, 3];
        ``levels`` limits the active levels of detail. ``frustums``: what the positions are the
        middles of, where somebody knows; a field of all of space is then told no more than what is
        to be seen from so far."""

    def sdf(self, positions: Tensor, levels: float | None = None) -> Tensor:
        """[N] levels of ``positions`` [N, 3]."""
        return self.sdf_and_features(positions, levels)[0]

    def limit(self, levels: float | None) -> float:
        """The levels of detail to use, where no more than ``levels`` are wanted."""
        active = self.active_levels
        return active if levels is None else min(active, levels)

    def samples(
        self,
        positions: Tensor,
        levels: float | None = None,
        *,
        tapped: Tensor | None = None,
        analytic: bool = False,
    ) -> FieldSamples:
        """Everything rendering and the losses need of ``positions`` [N, 3], gradients of those
        that ``tapped`` [M] numbers, all by default. ``analytic``: they may be rougher, at less
        cost."""
        sdf, features = self.sdf_and_features(positions, levels)
        some = positions if tapped is None else positions[tapped]
        middle = sdf if tapped is None else sdf[tapped]
        step = self.cell_size(self.limit(levels)) / math.sqrt(3)
        offsets = positions.new_tensor(TETRAHEDRON)
        asked = (some[:, None] + step * offsets).view(-1, 3)
        around = self.sdf(asked, levels).view(-1, len(offsets))
        laplacian = (0.5 * around.sum(1) - 2 * middle) / step**2
        return FieldSamples(sdf, features, around @ offsets / (4 * step), laplacian)

    def level_gradients(
        self, positions: Tensor, levels: float | None = None
    ) -> tuple[Tensor, Tensor]:
        """∇sdf [N, 3], and what of it each level of detail adds, [N, L, 3]."""
        most = self.limit(levels)
        steps = [
            self.samples(positions, min(i + 1.0, most)).gradients for i in range(self.n_levels)
        ]
        parts = torch.stack([steps[0], *(b - a for a, b in pairwise(steps))], 1)
        return steps[-1], parts
