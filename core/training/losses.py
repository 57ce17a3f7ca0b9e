"""The terms of the loss; each returns a scalar mean. `core.training.targets` weights them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from core.rendering.sampling import DENSITY_STEP
from core.rendering.unbounded import WeightHistogram
from core.rendering.volume import density_alpha


def color_loss(rendered: Tensor, target: Tensor, kind: str) -> Tensor:
    """Difference of colours [R, 3]: "l1" as published, "l2", or "huber" (smooth below 0.1)."""
    if kind == "l1":
        return F.l1_loss(rendered, target)
    if kind == "l2":
        return F.mse_loss(rendered, target)
    return F.huber_loss(rendered, target, delta=0.1) * 10


def uncertain_color_loss(
    rendered: Tensor, target: Tensor, uncertainty: Tensor, minimum: float
) -> Tensor:
    """Colour loss with the learnt ``uncertainty`` [R] (NeRF in the Wild, eq. 13).

    The negative log-likelihood of a Laplace instead of a normal distribution, scaled so that at the
    ``minimum`` uncertainty it equals "l1".
    """
    error = (rendered - target).abs().mean(-1)
    return (error * minimum / uncertainty + minimum * torch.log(uncertainty / minimum)).mean()


def eikonal_loss(gradients: Tensor) -> Tensor:
    """A distance grows by one per unit: (|∇sdf| - 1)² over ``gradients`` [N, 3] (Gropp 2020)."""
    return ((gradients.norm(dim=-1) - 1) ** 2).mean()


def curvature_loss(laplacian: Tensor) -> Tensor:
    """Mean |Δsdf| over ``laplacian`` [N] (Neuralangelo, eq. 8)."""
    return laplacian.abs().mean()


def sparsity_loss(density_logit: Tensor) -> Tensor:
    """Mean opacity of a step at random points of ``density_logit`` [N]; removes floaters."""
    return density_alpha(density_logit, torch.full_like(density_logit, DENSITY_STEP)).mean()


def mask_loss(opacity: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy of the accumulated ``opacity`` [R] against the photo's mask [R] (NeuS)."""
    return F.binary_cross_entropy(opacity.clamp(1e-3, 1 - 1e-3), mask)


def points_loss(sdf: Tensor) -> Tensor:
    """Triangulated points lie on the surface: |sdf| [P], outliers limited (Fu et al. 2022)."""
    return sdf.abs().clamp(max=0.1).mean()


def point_transmittance_loss(density_logit: Tensor) -> Tensor:
    """Mean transmittance of a step at SfM points of ``density_logit`` [P]."""
    return 1 - density_alpha(density_logit, torch.full_like(density_logit, DENSITY_STEP)).mean()


def transmittance_loss(opacity: Tensor, minimum: float) -> Tensor:
    """Penalise transmittance below ``minimum`` (Jain et al. 2022, eq. 6), else 0."""
    return (minimum - (1 - opacity).mean()).clamp(min=0)


def proposal_loss(histogram: WeightHistogram, proposed: Tensor) -> Tensor:
    """Where light is stopped has to be ``proposed`` [R, N], of N bins of each ray of ``histogram``:
    Σ max(0, w - ŵ)² / w over the pieces, ŵ being the sum of the bins that a piece reaches into
    (Barron et al. 2022, Mip-NeRF 360, eq. 13); mean over the rays. It teaches the proposal
    alone."""
    n, ray = proposed.shape[1], histogram.rays
    total = F.pad(proposed.cumsum(-1), (1, 0))
    first = (histogram.starts * n).floor().long().clamp(0, n)
    last = (histogram.ends * n).ceil().long().clamp(0, n)
    weights = histogram.weights.detach()
    missed = (weights - total[ray, last] + total[ray, first]).clamp(min=0)
    return (missed**2 / (weights + 1e-7)).sum() / max(len(proposed), 1)


def distortion_loss(histogram: WeightHistogram) -> Tensor:
    """Light should be stopped at one place of a ray: Σ w w' |s - s'| + Σ w² Δs / 3 over pairs of
    pieces of it, s their middles (Mip-NeRF 360, eq. 15), as a running sum; mean over the rays."""
    weights, begin = histogram.weights.double(), histogram.ray_starts[:-1][histogram.rays]
    middle = 0.5 * (histogram.starts + histogram.ends).double()

    def before(values: Tensor) -> Tensor:
        running = F.pad(values.cumsum(0), (1, 0))
        return running[:-1] - running[begin]

    between = 2 * weights * (middle * before(weights) - before(weights * middle))
    within = weights**2 * (histogram.ends - histogram.starts) / 3
    return (between + within).sum().float() / max(len(histogram.ray_starts) - 1, 1)


def psnr_of(mse: Tensor) -> float:
    """dB of a mean squared error of colours in [0, 1]."""
    return float(-10 * torch.log10(mse.detach().clamp(min=1e-10)))
