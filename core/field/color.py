"""Colour of a point as seen from a direction."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from core.config.run import FieldConfig


def spherical_harmonics(directions: Tensor, degree: int) -> Tensor:
    """Return degree² real spherical harmonics of unit ``directions`` [N, 3]; degree ≤ 4."""
    x, y, z = directions.unbind(-1)
    out = [torch.full_like(x, 0.28209479177387814)]
    if degree > 1:
        out += [-0.4886025119029199 * y, 0.4886025119029199 * z, -0.4886025119029199 * x]
    if degree > 2:
        out += [
            1.0925484305920792 * x * y,
            -1.0925484305920792 * y * z,
            0.31539156525252005 * (3 * z * z - 1),
            -1.0925484305920792 * x * z,
            0.5462742152960396 * (x * x - y * y),
        ]
    if degree > 3:
        out += [
            -0.5900435899266435 * y * (3 * x * x - y * y),
            2.890611442640554 * x * y * z,
            -0.4570457994644658 * y * (5 * z * z - 1),
            0.3731763325901154 * z * (5 * z * z - 3),
            -0.4570457994644658 * x * (5 * z * z - 1),
            1.445305721320277 * z * (x * x - y * y),
            -0.5900435899266435 * x * (x * x - 3 * y * y),
        ]
    return torch.stack(out, -1)


class Color(nn.Module):
    """Base class of the colour networks: sRGB [N, 3].

    The inputs are ``positions``, ``normals`` (None: unknown) and ``directions`` [N, 3], the field's
    ``features`` [N, G] and ``appearance`` [N, A] (None: switched off), all at level of detail
    ``lod``. ``floats_per_sample``: floats that one sample stores for the backward pass.
    """

    floats_per_sample: float


class ColorNetwork(Color):
    """Position, normal, view direction, geometry features and appearance → sRGB in [0, 1].

    Source: Yariv et al. 2020 (IDR), section 3.2; Neuralangelo adds the appearance embedding.
    Normals are an input only if every sample has them; in the warm-up they are zero.
    """

    def __init__(self, config: FieldConfig) -> None:
        super().__init__()
        self.degree = config.direction_degree
        self.takes_normals = config.fd_stride == 1
        seen = 3 + 3 * self.takes_normals + self.degree**2
        n_in = seen + config.n_geometry_features + config.appearance_size
        sizes = [n_in] + [config.color_width] * config.color_layers
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.head = nn.Linear(sizes[-1], 3)
        self.floats_per_sample = float(sum(sizes))

    def forward(
        self,
        positions: Tensor,
        normals: Tensor | None,
        directions: Tensor,
        features: Tensor,
        appearance: Tensor | None,
        lod: float | None = None,
    ) -> Tensor:
        """Return colours [N, 3]."""
        parts = [positions, spherical_harmonics(directions, self.degree), features]
        if self.takes_normals:
            parts.append(torch.zeros_like(positions) if normals is None else normals)
        if appearance is not None:
            parts.append(appearance)
        h = torch.cat(parts, -1)
        for layer in self.hidden:
            h = layer(h).relu_()
        return torch.sigmoid(self.head(h))
