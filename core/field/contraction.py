"""Contraction of all of space into a ball of radius 2, for positions, rays and cones.

The identity inside the unit ball; outside, distant things become small, as in photos. Source:
Barron et al. 2022, "Mip-NeRF 360", section 3.
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
FAR_DENSITY_SLOPE = 2.2
"""By how much the levels of a density of all of space fall beyond the ball, per unit of contracted
space, before anything is learnt."""
NARROWEST = 0.01
"""Rays that pass the middle more closely are measured as if at this distance."""


def contract(positions: Tensor) -> Tensor:
    """Contract positions [N, 3] into the ball of radius 2 (Mip-NeRF 360, eq. 10).

    The identity inside the unit ball, (2 - 1/r)·x/r outside.
    """
    r = positions.norm(dim=-1, keepdim=True).clamp(min=1)
    return positions * ((2 - 1 / r) / r)


def uncontract(contracted: Tensor) -> Tensor:
    """Invert `contract` for points [N, 3] inside the ball of radius 2."""
    r = contracted.norm(dim=-1, keepdim=True).clamp(min=1)
    return contracted / (r * (2 - r))


def far_density_bias(positions: Tensor) -> Tensor:
    """Return [N] by which density logits are lowered outside the unit ball.

    With it no light passes the end of space at the start; a density that is initialised as a ball
    in the middle has no gradient so far out.
    """
    return FAR_DENSITY_SLOPE * (contract(positions).norm(dim=-1) - 1).clamp(min=0)


def shrinking(positions: Tensor) -> tuple[Tensor, Tensor]:
    """Return the factors by which `contract` scales lengths at ``positions`` [N, 3].

    Returns:
        Tangential (2r - 1)/r² and radial 1/r², [N] each.
    """
    r = positions.norm(dim=-1).clamp(min=1)
    return (2 * r - 1) / r**2, 1 / r**2


@dataclass(frozen=True)
class Frustums:
    """The segments of pixel cones that samples represent, as normal distributions."""

    directions: Tensor
    """[N, 3] unit"""
    along: Tensor
    """[N] variance along the direction, scene units squared"""
    across: Tensor
    """[N] variance across it"""

    @staticmethod
    def of(directions: Tensor, t_starts: Tensor, t_ends: Tensor, widths: Tensor) -> Frustums:
        """Fit normal distributions (Barron et al. 2021, "Mip-NeRF", eq. 7 and section 3.1).

        Args:
            directions: [N, 3], unit.
            t_starts: [N] start of the segment along the ray.
            t_ends: [N] end of the segment.
            widths: [N] width of the pixel at distance 1; its disc has the variance of its square.
        """
        middle, half = 0.5 * (t_starts + t_ends), 0.5 * (t_ends - t_starts)
        m2, h2 = middle**2, half**2
        total = 3 * m2 + h2
        along = h2 / 3 - (4 / 15) * h2**2 * (12 * m2 - h2) / total**2
        radius = widths * (2 / 12**0.5)
        across = radius**2 * (m2 / 4 + (5 / 12) * h2 - (4 / 15) * h2**2 / total)
        return Frustums(directions, along, across)

    def size(self, positions: Tensor) -> Tensor:
        """Return [N] standard deviations across the cone in contracted space.

        Contraction scales lengths by the cube root of its change of volume (Barron et al. 2023,
        "Zip-NeRF", supplement).
        """
        tangential, radial = shrinking(positions)
        return self.across.sqrt() * (tangential**2 * radial) ** (1 / 3)

    def variances(self, positions: Tensor) -> Tensor:
        """Return [N, 3] variances along the axes of contracted space.

        The diagonal of J Σ Jᵀ (Mip-NeRF 360, eq. 9), where J = a I + (b - a) r̂ r̂ᵀ is the Jacobian
        of `contract`.
        """
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
    """Rays R parametrised by their length in contracted space.

    An element dt at distance r from the middle has the length dt / max(1, r)², so that lengths
    inside the unit ball are unchanged and every ray is finite.
    """

    nearest: Tensor
    """[R] t at which the ray is nearest to the middle"""
    least: Tensor
    """[R] its distance there"""

    @staticmethod
    def of(origins: Tensor, directions: Tensor) -> ContractedRay:
        """Create them from rays [R, 3] with unit directions."""
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
        """Return the signed lengths [R, K] from the point nearest to the middle to ``t`` [R, K].

        ∫ du / (u² + p²) = atan(u / p) / p.
        """
        p, h = self.least[:, None], self._half[:, None]
        u = t - self.nearest[:, None]
        beyond = ((u.abs() / p).atan() - (h / p).atan()) / p
        return torch.where(u.abs() < h, u, u.sign() * (h + beyond))

    def at(self, length: Tensor) -> Tensor:
        """Return t [R, K] of ``length`` [R, K]; the inverse of `length`."""
        p, h = self.least[:, None], self._half[:, None]
        angle = p * (length.abs() - h) + (h / p).atan()
        beyond = p * angle.clamp(max=torch.pi / 2 - 1e-5).tan()
        u = torch.where(length.abs() < h, length, length.sign() * beyond)
        return u + self.nearest[:, None]

    def end(self) -> Tensor:
        """Return the lengths [R] at which rays end."""
        return self.length((self.nearest.clamp(min=0) + FAR)[:, None])[:, 0]
