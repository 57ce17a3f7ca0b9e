"""Everything that is learnt about a scene."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from core.config import RunConfig
from core.field.appearance import Appearance
from core.field.background import Background
from core.field.color import ColorNetwork
from core.field.sdf_field import SdfField


class SurfaceModel(nn.Module):
    """The SDF, the colour on it, what lies behind it, how photos differ, and how sharp it is.

    ``has_background``: photos show a real world beyond the ball (no masks).
    """

    def __init__(self, config: RunConfig, n_photos: int, has_background: bool) -> None:
        super().__init__()
        field = config.field
        self.sdf_field = SdfField(field)
        self.color = ColorNetwork(field)
        self.appearance = Appearance(n_photos, field.appearance_size)
        wanted = field.background == "contraction" or (
            field.background == "auto" and has_background and not field.inside_out
        )
        self.background = Background(field.appearance_size) if wanted else None
        self.log_inv_s = nn.Parameter(torch.tensor(math.log(config.train.initial_inv_s)))

    @property
    def device(self) -> torch.device:
        return self.log_inv_s.device

    @property
    def inv_s(self) -> Tensor:
        """Sharpness of the logistic density (NeuS's 1/s), per scene unit; a scalar tensor."""
        return self.log_inv_s.exp()

    def surface_color(
        self, positions: Tensor, levels: float | None = None
    ) -> tuple[Tensor, Tensor]:
        """Colour [N, 3] seen from straight above the surface, and unit normals [N, 3]."""
        samples = self.sdf_field.samples(positions, levels)
        normals = nn.functional.normalize(samples.gradients, dim=-1)
        appearance = self.appearance(None, len(positions))
        return self.color(positions, normals, -normals, samples.features, appearance), normals
