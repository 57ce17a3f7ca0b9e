"""A radiance field over contracted space for what lies outside the region."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.field.appearance import Appearance
from core.field.color import spherical_harmonics
from core.field.contraction import contract
from core.field.hash_grid import HashGrid
from core.kernels import GridLayout

_LEVELS, _LOG2_TABLE, _FINEST, _WIDTH, _DEGREE = 8, 15, 256, 32, 3


class Background(nn.Module):
    """Density and colour outside the region."""

    def __init__(self, appearance_size: int) -> None:
        super().__init__()
        self.grid = HashGrid(GridLayout.create(_LEVELS, 2, _LOG2_TABLE, 8, _FINEST))
        self.trunk = nn.Linear(3 + self.grid.layout.width, _WIDTH)
        self.density = nn.Linear(_WIDTH, 1)
        self.color = nn.Sequential(
            nn.Linear(_WIDTH + _DEGREE**2 + appearance_size, _WIDTH),
            nn.ReLU(),
            nn.Linear(_WIDTH, 3),
            nn.Sigmoid(),
        )

    def forward(
        self, positions: Tensor, directions: Tensor, appearance: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return density [N] per inverse distance and colour [N, 3] at ``positions`` [N, 3]."""
        x = contract(positions) * 0.5
        h = F.relu(self.trunk(torch.cat([x, self.grid(x, _LEVELS)], -1)))
        parts = [h, spherical_harmonics(directions, _DEGREE)]
        if appearance is not None:
            parts.append(appearance)
        return F.softplus(self.density(h)[:, 0]), self.color(torch.cat(parts, -1))


def background_color(
    background: Background,
    origins: Tensor,
    directions: Tensor,
    t_exit: Tensor,
    photo: Tensor | None,
    appearance: Appearance,
    n_samples: int,
    jitter: Tensor | None,
) -> Tensor:
    """Return the colour [R, 3] that each ray collects from t = ``t_exit`` [R] on.

    Samples are uniform in inverse distance from there to infinity (Zhang et al. 2020, NeRF++), so
    that all intervals are equally long in contracted space; the last one is opaque.
    """
    n = len(origins)
    cells = torch.arange(n_samples, device=origins.device)
    offset = 0.5 if jitter is None else jitter[:, None]
    inverse = 1 - (cells + offset) / n_samples  # [R, B], from near 1 down to near 0
    t = t_exit[:, None] + 1 / inverse.clamp(min=1e-3) - 1
    positions = (origins[:, None] + directions[:, None] * t[..., None]).reshape(-1, 3)
    view_directions = directions[:, None].expand(n, n_samples, 3).reshape(-1, 3)
    index = None if photo is None else photo.repeat_interleave(n_samples)
    density, color = background(positions, view_directions, appearance(index, len(positions)))
    alpha = 1 - torch.exp(-density.view(n, n_samples) * (8.0 / n_samples))
    alpha = torch.cat([alpha[:, :-1], torch.ones_like(alpha[:, :1])], -1)
    transmittance = torch.cumprod(1 - alpha + 1e-7, -1)
    weights = alpha * torch.cat([torch.ones_like(transmittance[:, :1]), transmittance[:, :-1]], -1)
    return (weights[..., None] * color.view(n, n_samples, 3)).sum(1)
