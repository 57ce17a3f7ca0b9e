"""A coarse density of all of space that proposes where rays are sampled.

Source: Barron et al. 2022, "Mip-NeRF 360", section 3.1. It is trained by
`core.training.losses.proposal_loss` alone and not by colours.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from core.field.contraction import REACH, contract
from core.field.hash_grid import HashGrid
from core.kernels import GridLayout

BINS = 64
"""Of a ray, equally long in contracted space."""
_LEVELS, _LOG2_TABLE, _COARSEST, _FINEST, _WIDTH = 5, 15, 16, 128, 16


class Proposal(nn.Module):
    """Positions in scene units → density."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = HashGrid(GridLayout.create(_LEVELS, 2, _LOG2_TABLE, _COARSEST, _FINEST), REACH)
        self.hidden = nn.Linear(self.grid.layout.width, _WIDTH)
        self.density = nn.Linear(_WIDTH, 1)

    def forward(self, positions: Tensor) -> Tensor:
        """Return the density [N] per unit of contracted space at ``positions`` [N, 3]."""
        h = F.relu(self.hidden(self.grid(contract(positions), _LEVELS)))
        return F.softplus(self.density(h)[:, 0])
