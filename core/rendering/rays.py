"""Rays of light, and what is known of the photo each belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rays:
    """``origins, directions`` [R, 3], scene units, unit directions; ``photo`` [R] index of the
    photo each belongs to, or None for a view of no photo; ``pixel_ndc`` [R, 2] in that photo, its
    borders at -1 and 1, where somebody asks for it; ``width`` [R] of its pixel at distance 1."""

    origins: Tensor
    directions: Tensor
    photo: Tensor | None = None
    pixel_ndc: Tensor | None = None
    width: Tensor | None = None

    def __len__(self) -> int:
        return len(self.origins)

    def __getitem__(self, part: slice | Tensor) -> Rays:
        return self._each(lambda x: x[part])

    def to(self, device: torch.device) -> Rays:
        """The same rays on ``device``."""
        return self._each(lambda x: x.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> Rays:
        optional = (
            None if x is None else change(x) for x in (self.photo, self.pixel_ndc, self.width)
        )
        return Rays(change(self.origins), change(self.directions), *optional)
