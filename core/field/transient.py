"""What stood before the scene in single photos: passers-by, a car, a finger, a smear.

Martin-Brualla et al. 2021 (NeRF in the Wild), section 4.2, give each photo a volume that only it
sees, and with it an uncertainty. Where in space a passer-by stood does not matter, so here the
transient part is an image in front of each photo, a function of the pixel's position (as in Chen et
al. 2022, Ha-NeRF, section 3.3). It works with every method and is left out of all renderings and
meshes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FREQUENCIES = 5
"""Of the encoding of a place: what is finer than a fiftieth of the photo is no passer-by."""
CODE, WIDTH = 32, 64
MIN_SPREAD = 0.03
"""Of colours: below it all errors count alike."""
INITIAL_OPACITY_LOGIT = -4.0
"""The logit of the opacity at the start."""


@dataclass(frozen=True)
class TransientRender:
    """What photos show, with the transient part in front of the scene."""

    color: Tensor
    """[R, 3]"""
    opacity: Tensor
    """[R] of the transient part"""
    spread: Tensor
    """[R] standard deviation by which a photo may differ from the colour"""


class TransientHead(nn.Module):
    """A code for each photo, and a network from the code and a position to the transient part."""

    def __init__(self, n_photos: int) -> None:
        super().__init__()
        self.codes = nn.Parameter(torch.randn(n_photos, CODE) * 0.1)
        n_in = CODE + 2 + 4 * FREQUENCIES
        self.hidden = nn.Sequential(
            nn.Linear(n_in, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU()
        )
        self.head = nn.Linear(WIDTH, 5)
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([INITIAL_OPACITY_LOGIT, 0.0, 0.0, 0.0, -2.0]))

    def forward(self, photo: Tensor, place: Tensor, color: Tensor) -> TransientRender:
        """Over ``color`` [R, 3] at ``place`` [R, 2] of the photos numbered ``photo`` [R], from
        (-1, -1) to (1, 1)."""
        octaves = 2.0 ** torch.arange(FREQUENCIES, device=place.device)
        angles = place[:, :, None] * (math.pi / 2 * octaves)
        waves = torch.cat([angles.sin(), angles.cos()], -1).flatten(1)
        out = self.head(self.hidden(torch.cat([self.codes[photo], place, waves], -1)))
        opacity = torch.sigmoid(out[:, 0])
        own = torch.sigmoid(out[:, 1:4])
        seen = color + opacity[:, None] * (own - color)
        return TransientRender(seen, opacity, MIN_SPREAD + F.softplus(out[:, 4]))
