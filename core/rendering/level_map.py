"""Which level of the hash grid carries the detail of a surface where.

By the chain rule the gradient of the field is a sum over the levels (and what the position itself
says). What a level adds along the normal only scales it; what it adds across turns it: that is
the level's share of the detail.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.base.colormaps import NO_LEVEL_COLOR, level_colors
from core.field.base import Field

SATURATED_TANGENT = 0.2
"""Turned by so much (the tangent of the angle) a point has its level's pure colour."""


def level_turns(field: Field, positions: Tensor, levels: float | None) -> tuple[Tensor, Tensor]:
    """By how much each level turns the normal at ``positions``, [N, L] tangents of angles, and the
    unit normals [N, 3]."""
    gradients, parts = field.level_gradients(positions, levels)
    length = gradients.norm(dim=-1).clamp(min=1e-9)
    normals = gradients / length[:, None]
    along = (parts * normals[:, None]).sum(-1, keepdim=True)
    across = parts - along * normals[:, None]
    return across.norm(dim=-1) / length[:, None], normals


@torch.no_grad()
def level_colored(
    field: Field, positions: Tensor, directions: Tensor, levels: float | None
) -> Tensor:
    """[N, 3] the colour of the level that turns the normal most, the paler the less it does, lit
    from the eye."""
    turns, normals = level_turns(field, positions, levels)
    most, which = turns.max(-1)
    palette = torch.from_numpy(level_colors(turns.shape[1]).astype(np.float32)).to(turns.device)
    pure = (most / SATURATED_TANGENT).clamp(max=1)[:, None]
    color = pure * palette[which] + (1 - pure) * torch.tensor(NO_LEVEL_COLOR, device=turns.device)
    light = 0.35 + 0.65 * F.cosine_similarity(normals, -directions).clamp(min=0)
    return color * light[:, None]
