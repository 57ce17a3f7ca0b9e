"""Transient objects in single photos: passers-by, a car, a finger, a smear.

Martin-Brualla et al. 2021 (NeRF in the Wild), section 4.2, give each photo a transient volume and
an uncertainty. Its depth does not matter, so here the transient part is an image in front of each
photo, a function of the pixel (as in Chen et al. 2022, Ha-NeRF, section 3.3). It works with every
method and is left out of all renderings and meshes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

N_FREQUENCIES = 5
"""Of the encoding of a place: what is finer than a fiftieth of the photo is no passer-by."""
CODE_SIZE, WIDTH = 32, 64
MIN_UNCERTAINTY = 0.03
"""Of colours: below it all errors count alike."""
INITIAL_OPACITY_LOGIT = -4.0
"""The logit of the opacity at the start."""


@dataclass(frozen=True)
class TransientRender:
    """Rendered photos with the transient part in front of the scene."""

    color: Tensor
    """[R, 3]"""
    opacity: Tensor
    """[R] of the transient part"""
    uncertainty: Tensor
    """[R] standard deviation by which a photo may differ from the colour"""


class TransientHead(nn.Module):
    """A code per photo, and a network from code and pixel to the transient part."""

    def __init__(self, n_photos: int) -> None:
        super().__init__()
        self.codes = nn.Parameter(torch.randn(n_photos, CODE_SIZE) * 0.1)
        n_in = CODE_SIZE + 2 + 4 * N_FREQUENCIES
        self.hidden = nn.Sequential(
            nn.Linear(n_in, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU()
        )
        self.head = nn.Linear(WIDTH, 5)
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([INITIAL_OPACITY_LOGIT, 0.0, 0.0, 0.0, -2.0]))

    def forward(self, photo: Tensor, pixel_ndc: Tensor, color: Tensor) -> TransientRender:
        """Composite the transient part over the scene.

        Args:
            photo: [R] index of the photo.
            pixel_ndc: [R, 2] position in it, from (-1, -1) to (1, 1).
            color: [R, 3] rendered colour of the scene.
        """
        octaves = 2.0 ** torch.arange(N_FREQUENCIES, device=pixel_ndc.device)
        angles = pixel_ndc[:, :, None] * (math.pi / 2 * octaves)
        waves = torch.cat([angles.sin(), angles.cos()], -1).flatten(1)
        out = self.head(self.hidden(torch.cat([self.codes[photo], pixel_ndc, waves], -1)))
        opacity = torch.sigmoid(out[:, 0])
        own = torch.sigmoid(out[:, 1:4])
        seen = color + opacity[:, None] * (own - color)
        return TransientRender(seen, opacity, MIN_UNCERTAINTY + F.softplus(out[:, 4]))
