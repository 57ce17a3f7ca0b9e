"""What makes each photo look different from the others: exposure, white balance, light."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Appearance(nn.Module):
    """One learnt vector per photo, zero at the start; views of no photo get the mean."""

    def __init__(self, n_photos: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.vectors = nn.Parameter(torch.zeros(n_photos, size)) if size else None

    def forward(self, photo: Tensor | None, n: int) -> Tensor | None:
        """[N, A] for photo indices ``photo`` [N], or the mean ``n`` times; None if switched off."""
        if self.vectors is None:
            return None
        return self.vectors.mean(0).expand(n, -1) if photo is None else self.vectors[photo]
