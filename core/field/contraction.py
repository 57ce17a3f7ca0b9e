"""All of space in a ball of radius 2, and what of it a ray passes.

Inside the unit ball nothing changes; beyond it the farther something is the smaller it becomes, as
it does in photos. Source: Barron et al. 2022, "Mip-NeRF 360", section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

REACH = 2.0
"""Radius of contracted space."""
FAR = 200.0
"""Scene units from the point of a ray that is nearest to the middle to where it ends. All that lies
beyond is a two-hundredth of a unit of contracted space."""
HORIZON = 2.2
"""By how much the levels of a density of all of space fall beyond the ball, per unit of contracted
space, before anything is learnt."""
NARROWEST = 0.01
"""Rays that pass the middle more closely are measured as if at this distance."""


def contract(positions: Tensor) -> Tensor:
    """All of space into the ball of radius 2: inside the unit ball the identity, beyond it
    (2 - 1/r)·x/r (eq. 10). [N, 3]."""
    r = positions.norm(dim=-1, keepdim=True).clamp(min=1)
    return positions * ((2 - 1 / r) / r)


def uncontract(contracted: Tensor) -> Tensor:
    """The inverse of `contract`, of points [N, 3] inside the ball of radius 2."""
    r = contracted.norm(dim=-1, keepdim=True).clamp(min=1)
    return contracted / (r * (2 - r))


def far_density_bias(positions: Tensor) -> Tensor:
    """[N] by how much the levels of a density are lower at ``positions`` [N, 3], beyond the ball,
    so that at first no light passes the end of space. That of a ball in the middle has no slope to
    learn by so far out."""
    return HORIZON * (contract(positions).norm(dim=-1) - 1).clamp(min=0)


def shrinking(positions: Tensor) -> tuple[Tensor, Tensor]:
    """By how much `contract` shrinks lengths at ``positions`` [N, 3]: across the line to the
    middle, (2r - 1)/r², and along it, 1/r²; [N] each."""
    r = positions.norm(dim=-1).clamp(min=1)
    return (2 * r - 1) / r**2, 1 / r**2


@dataclass(frozen=True)
class Frustums:
    """The pieces of a pixel's cone that samples stand for, as normal distributions: unit
    ``directions`` [N, 3], variances ``along`` and ``across`` them [N], scene units squared."""

    directions: Tensor
    along: Tensor
    across: Tensor

    @staticmethod
    def of(directions: Tensor, t_starts: Tensor, t_ends: Tensor, widths: Tensor) -> Frustums:
        """Between ``t_starts`` and ``t_ends`` [N] of cones whose pixels are ``widths`` [N] wide at
        distance 1. Source: Barron et al. 2021, "Mip-NeRF", eq. 7 and section 3.1 (a pixel's disc
        has the variance of its square)."""
        middle, half = 0.5 * (t_starts + t_ends), 0.5 * (t_ends - t_starts)
        m2, h2 = middle**2, half**2
        total = 3 * m2 + h2
        along = h2 / 3 - (4 / 15) * h2**2 * (12 * m2 - h2) / total**2
        radius = widths * (2 / 12**0.5)
        across = radius**2 * (m2 / 4 + (5 / 12) * h2 - (4 / 15) * h2**2 / total)
        return Frustums(directions, along, across)

    def size(self, positions: Tensor) -> Tensor:
        """[N] how wide they are at ``positions`` [N, 3], a standard deviation across the cone in
        contracted space, which shrinks lengths by the cube root of its change of volume (Barron et
        al. 2023, "Zip-NeRF", supplement)."""
        tangential, radial = shrinking(positions)
        return self.across.sqrt() * (tangential**2 * radial) ** (1 / 3)

    def variances(self, positions: Tensor) -> Tensor:
        """[N, 3] along the axes of contracted space: the diagonal of J Σ Jᵀ (Mip-NeRF 360, eq. 9),
        J = a I + (b - a) r̂ r̂ᵀ being the slope of `contract`."""
        a, b = (x[:, None] for x in shrinking(positions))
        outward = torch.nn.functional.normalize(positions, dim=-1)
        turned = a * self.directions + (b - a) * outward * (outward * self.directions).sum(
            -1, keepdim=True
        )
        across = self.across[:, None]
        return (self.along[:, None] - across) * turned**2 + across * (
            a**2 + (b**2 - a**2) * outward**2
        )


@dataclass(frozen=True)
class ContractedRay:
    """Rays measured in contracted space: a piece dt at distance r from the middle is
    dt / max(1, r)² long, so that inside the unit ball length is length, and all of a ray is
    finite. ``nearest`` [R]: where along each ray, t, it comes nearest to the middle, and how near,
    ``least`` [R]."""

    nearest: Tensor
    least: Tensor

    @staticmethod
    def of(origins: Tensor, directions: Tensor) -> ContractedRay:
        """Of rays [R, 3] with unit directions."""
        nearest = -(origins * directions).sum(-1)
        least = (origins + nearest[:, None] * directions).norm(dim=-1)
        return ContractedRay(nearest, least.clamp(min=NARROWEST))

    def __getitem__(self, part: Tensor) -> ContractedRay:
        return ContractedRay(self.nearest[part], self.least[part])

    @property
    def _half(self) -> Tensor:
        """Half of what of each ray is in the unit ball [R]."""
        return (1 - self.least**2).clamp(min=0).sqrt()

    def length(self, t: Tensor) -> Tensor:
        """[R, K] signed, of the rays from their nearest point to ``t`` [R, K]: ∫ du / (u² + p²) is
        atan(u / p) / p."""
        p, h = self.least[:, None], self._half[:, None]
        u = t - self.nearest[:, None]
        beyond = ((u.abs() / p).atan() - (h / p).atan()) / p
        return torch.where(u.abs() < h, u, u.sign() * (h + beyond))

    def at(self, length: Tensor) -> Tensor:
        """The inverse: t [R, K] of ``length`` [R, K]."""
        p, h = self.least[:, None], self._half[:, None]
        angle = p * (length.abs() - h) + (h / p).atan()
        beyond = p * angle.clamp(max=torch.pi / 2 - 1e-5).tan()
        u = torch.where(length.abs() < h, length, length.sign() * beyond)
        return u + self.nearest[:, None]

    def end(self) -> Tensor:
        """[R] length at which rays end."""
        return self.length((self.nearest.clamp(min=0) + FAR)[:, None])[:, 0]
