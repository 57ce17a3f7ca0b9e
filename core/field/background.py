"""What lies beyond the region, as a radiance field over contracted space."""

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
        """Density [N] per unit of inverse distance and colour [N, 3] at ``positions`` [N, 3]."""
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
    beyond: Tensor,
    photo: Tensor | None,
    appearance: Appearance,
    n_samples: int,
    jitter: Tensor | None,
) -> Tensor:
    """[R, 3] colour of what each ray meets from t = ``beyond`` [R] on.

    Samples are even in inverse distance from there to infinity (Zhang et al. 2020, NeRF++), so
    that one interval is as long in the contracted picture as the next; the last one is opaque.
    """
    n = len(origins)
    cells = torch.arange(n_samples, device=origins.device)
    place = 0.5 if jitter is None else jitter[:, None]
    inverse = 1 - (cells + place) / n_samples  # [R, B], from near 1 down to near 0
    t = beyond[:, None] + 1 / inverse.clamp(min=1e-3) - 1
    positions = (origins[:, None] + directions[:, None] * t[..., None]).reshape(-1, 3)
    facing = directions[:, None].expand(n, n_samples, 3).reshape(-1, 3)
    index = None if photo is None else photo.repeat_interleave(n_samples)
    density, color = background(positions, facing, appearance(index, len(positions)))
    alpha = 1 - torch.exp(-density.view(n, n_samples) * (8.0 / n_samples))
    alpha = torch.cat([alpha[:, :-1], torch.ones_like(alpha[:, :1])], -1)
    through = torch.cumprod(1 - alpha + 1e-7, -1)
    weights = alpha * torch.cat([torch.ones_like(through[:, :1]), through[:, :-1]], -1)
    return (weights[..., None] * color.view(n, n_samples, 3)).sum(1)
