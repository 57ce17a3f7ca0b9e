"""Appearance embeddings: how photos differ in exposure, white balance and light."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Appearance(nn.Module):
    """One learnt vector per photo, zero at the start.

    Views of no photo get the mean, or the ``override`` [A] while there is one.
    """

    override: Tensor | None = None

    def __init__(self, n_photos: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.vectors = nn.Parameter(torch.zeros(n_photos, size)) if size else None

    def forward(self, photo: Tensor | None, n: int) -> Tensor | None:
        """Return vectors [N, A] of ``photo`` [N], or ``n`` means; None if switched off."""
        if self.vectors is None:
            return None
        if photo is not None:
            return self.vectors[photo]
        return (self.vectors.mean(0) if self.override is None else self.override).expand(n, -1)
