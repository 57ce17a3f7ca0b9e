"""Samples along rays become a colour, a depth and an opacity each."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.config.run import TrainConfig
from core.field.background import background_color
from core.field.model import SceneModel
from core.rendering.occupancy import Crossing
from core.rendering.rays import Rays
from core.rendering.sampling import Samples
from core.rendering.unbounded import (
    TRAIN_SAMPLE_COUNTS,
    SampleCounts,
    UnboundedRender,
    WeightHistogram,
    full_histogram,
    render_unbounded,
)
from core.rendering.volume import composite


@dataclass(frozen=True)
class RaySamples:
    """Where rays R are sampled."""

    samples: Samples
    """those that carry weight"""
    culled_transmittance: Tensor | None
    """[R] of the culled samples; None: unknown"""
    n_marched: int
    """samples before culling"""
    crossing: Crossing
    """where rays cross the region"""
    coarse: Samples | None = field(default=None, kw_only=True)
    """samples of the coarse level that placed the others"""


@dataclass(frozen=True)
class CompositedRays:
    """Composited colours of rays R."""

    color: Tensor
    """[R, 3] including the background"""
    opacity: Tensor
    """[R] of what lies in the region"""
    depth: Tensor
    """[R] Σ weight · t"""
    unbounded: UnboundedRender | None = None
    """what lies outside the region, in an unbounded field"""
    histogram: WeightHistogram | None = None
    """weights along the whole rays, in an unbounded field"""


def composite_rays(
    model: SceneModel,
    rays: Rays,
    ray_samples: RaySamples,
    alphas: Tensor,
    color: Tensor,
    train: TrainConfig,
    background: Tensor | None,
    jitter: Tensor | None,
    lod: float | None = None,
    sample_counts: SampleCounts = TRAIN_SAMPLE_COUNTS,
) -> CompositedRays:
    """Composite samples of ``color`` [S, 3].

    The culled samples would have dimmed the background; were that left out, surfaces would swell to
    hide it.
    """
    samples, culled_transmittance = ray_samples.samples, ray_samples.culled_transmittance
    middle = 0.5 * (samples.t_starts + samples.t_ends)
    one = torch.ones_like(middle)[:, None]
    weights, out = composite(
        alphas, torch.cat([one, middle[:, None], color], -1), samples.ray_starts
    )
    opacity, out = out[:, 0], out[:, 1:]
    if culled_transmittance is not None:
        whole = 1 - culled_transmittance * (1 - opacity)
        # at most twofold: where nearly all was culled, the rest tells little of what it was
        stretch = (whole / opacity.clamp(min=1e-6)).clamp(max=2.0)
        opacity, out = opacity * stretch, out * stretch[:, None]
        weights = weights * stretch[samples.ray_indices]
    shade, depth = out[:, 1:4], out[:, 0]
    if background is None and model.proposal is not None:
        unbounded = render_unbounded(
            model, rays, ray_samples.crossing, 1 - opacity, jitter, lod, sample_counts
        )
        histogram = full_histogram(unbounded, rays, samples, weights)
        return CompositedRays(shade + unbounded.color, opacity, depth, unbounded, histogram)
    if background is None and model.background is not None:
        background = _background(
            model, rays, ray_samples.crossing.t_exit, opacity.detach(), train, jitter
        )
    if background is not None:
        shade = shade + (1 - opacity)[:, None] * background
    return CompositedRays(shade, opacity, depth)


def _background(
    model: SceneModel,
    rays: Rays,
    unbounded: Tensor,
    opacity: Tensor,
    train: TrainConfig,
    jitter: Tensor | None,
) -> Tensor:
    """Return the background colours [R, 3]; only rays that are not opaque are evaluated."""
    open_rays = (opacity < 0.999).nonzero()[:, 0]
    photo = None if rays.photo is None else rays.photo[open_rays]
    assert model.background is not None
    color = background_color(
        model.background,
        rays.origins[open_rays],
        rays.directions[open_rays],
        unbounded[open_rays],
        photo,
        model.appearance,
        train.background_samples,
        None if jitter is None else jitter[open_rays],
    )
    return torch.zeros_like(rays.origins).index_copy(0, open_rays, color)
