"""Volume rendering of a signed distance, over packed samples. Nothing here asks a field."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.config.mesh import DENSITY_AT_LEVEL
from core.field.base import DENSITY_SLOPE, MAX_DENSITY
from core.kernels import for_device


def neus_alpha(
    sdf: Tensor, slopes: Tensor, lengths: Tensor, inv_s: Tensor, cos_anneal_ratio: float
) -> Tensor:
    """Opacity [S] of a step of ``lengths`` [S] around each sample, where the SDF along the ray is
    ``sdf`` [S] and grows by ``slopes`` [S] per unit.

    Source: Wang et al. 2021 (NeuS), eq. 13, with the SDF at both ends taken from its value and
    slope in the middle. While ``cos_anneal_ratio`` < 1 the cosine is softened so that surfaces
    that face away get gradients too.
    """
    soft = (0.5 - 0.5 * slopes).clamp(min=0) * (1 - cos_anneal_ratio)
    cos = -(soft + (-slopes).clamp(min=0) * cos_anneal_ratio)
    half = 0.5 * cos * lengths
    before = torch.sigmoid((sdf - half) * inv_s)
    after = torch.sigmoid((sdf + half) * inv_s)
    return ((before - after + 1e-5) / (before + 1e-5)).clamp(0, 1)


def density(density_logit: Tensor) -> Tensor:
    """Return density [S] per scene unit of a radiance field's ``density_logit`` [S].

    An exponential as in Müller et al. 2022, capped; a positive logit is nearly empty space.
    """
    return (DENSITY_AT_LEVEL * torch.exp(-DENSITY_SLOPE * density_logit)).clamp(max=MAX_DENSITY)


def density_logit_of(density: float) -> float:
    """The level at which `density` is so high."""
    return -math.log(density / DENSITY_AT_LEVEL) / DENSITY_SLOPE


def density_alpha(density_logit: Tensor, lengths: Tensor) -> Tensor:
    """Opacity [S] of steps of ``lengths`` [S] through `density`."""
    return 1 - torch.exp(-density(density_logit) * lengths)


class _Composite(torch.autograd.Function):
    @staticmethod
    def forward(ctx, alphas, values, ray_starts):
        weights, out = for_device(alphas.device).composite(alphas, values, ray_starts)
        ctx.save_for_backward(alphas, values, weights, ray_starts)
        return weights, out

    @staticmethod
    def backward(ctx, grad_weights, grad_out):  # pyright: ignore[reportIncompatibleMethodOverride]
        alphas, values, weights, ray_starts = ctx.saved_tensors
        grad_alphas, grad_values = for_device(alphas.device).composite_backward(
            alphas, values, weights, ray_starts, grad_weights, grad_out
        )
        return grad_alphas, grad_values, None


def composite(alphas: Tensor, values: Tensor, ray_starts: Tensor) -> tuple[Tensor, Tensor]:
    """Weights [S] and Σ weight·value [R, C] of packed samples, front to back; ``ray_starts``
    [R + 1]. Differentiable in ``alphas`` [S] and ``values`` [S, C]."""
    return _Composite.apply(alphas, values, ray_starts)


def pack(keep: Tensor, ray_starts: Tensor) -> Tensor:
    """New ``ray_starts`` [R + 1] after keeping only samples where ``keep`` [S] is true."""
    before = torch.cat([keep.new_zeros(1, dtype=torch.long), keep.long().cumsum(0)])
    return before[ray_starts]
