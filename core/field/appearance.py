"""What makes each photo look different from the others: exposure, white balance, light."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Appearance(nn.Module):
    """One learnt vector per photo, zero at the start; views of no photo get the mean, or while
    there is one the ``stand_in`` [A]."""

    stand_in: Tensor | None = None

    def __init__(self, n_photos: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.vectors = nn.Parameter(torch.zeros(n_photos, size)) if size else None

    def forward(self, photo: Tensor | None, n: int) -> Tensor | None:
        """[N, A] for photo indices ``photo`` [N], or the mean ``n`` times; None if switched off."""
        if self.vectors is None:
            return None
        if photo is not None:
            return self.vectors[photo]
        return (self.vectors.mean(0) if self.stand_in is None else self.stand_in).expand(n, -1)
