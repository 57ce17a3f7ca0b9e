"""A coarse density of all of space, which says where along a ray the field is worth asking.

Source: Barron et al. 2022, "Mip-NeRF 360", section 3.1; it is told nothing of colours, only held to
not miss what the field stops light with (`core.training.losses.proposal_loss`).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from core.field.contraction import REACH, contract
from core.field.hash_grid import HashGrid
from core.kernels import GridLayout

BINS = 64
"""Of a ray, equally long in contracted space."""
_LEVELS, _LOG2_TABLE, _BASE, _FINEST, _WIDTH = 5, 15, 16, 128, 16


class Proposal(nn.Module):
    """Positions in scene units → density."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = HashGrid(GridLayout.create(_LEVELS, 2, _LOG2_TABLE, _BASE, _FINEST), REACH)
        self.hidden = nn.Linear(self.grid.layout.width, _WIDTH)
        self.density = nn.Linear(_WIDTH, 1)

    def forward(self, positions: Tensor) -> Tensor:
        """[N] per unit of contracted space, at ``positions`` [N, 3]."""
        h = F.relu(self.hidden(self.grid(contract(positions), _LEVELS)))
        return F.softplus(self.density(h)[:, 0])
