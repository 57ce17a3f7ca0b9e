"""Rays through the model: march, cull, ask the field, composite."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from core.config.run import TrainConfig
from core.field.base import FieldSamples
from core.field.contraction import Frustums
from core.field.model import SceneModel
from core.rendering.composite import RaySamples, composite_rays
from core.rendering.hierarchical import march_hierarchically
from core.rendering.occupancy import OccupancyGrid
from core.rendering.rays import Rays
from core.rendering.sampling import Samples, march, march_through_density, march_to_surface
from core.rendering.unbounded import (
    TRAIN_SAMPLE_COUNTS,
    SampleCounts,
    UnboundedRender,
    WeightHistogram,
    frustums,
)
from core.rendering.volume import density_alpha, neus_alpha


@dataclass(frozen=True)
class Rendered:
    """A volume rendering of rays R."""

    color: Tensor
    """[R, 3] including the background"""
    opacity: Tensor
    """[R] of what lies in the region"""
    depth: Tensor
    """[R] Σ weight · t"""
    gradients: Tensor | None
    """[M, 3] of the SDF at finite-difference samples and regularizer points"""
    laplacian: Tensor | None
    """[m] of the SDF at the former"""
    density_logit: Tensor | None
    """[N] at the regularizer points; None for an SDF"""
    n_marched: int
    """samples before culling"""
    n_kept: int
    """samples after culling"""
    unbounded: UnboundedRender | None = field(default=None, kw_only=True)
    """what lies outside the region, in an unbounded field"""
    histogram: WeightHistogram | None = field(default=None, kw_only=True)
    """weights along the whole rays, in an unbounded field"""

    @property
    def n_unbounded(self) -> int:
        """How many samples more lie beyond the region."""
        return 0 if self.unbounded is None else len(self.unbounded.histogram.weights)


def step_length(train: TrainConfig, inv_s: float) -> float:
    """Return the marching step for the sharpness ``inv_s``, at least 2 / `march_steps`."""
    return max(2 / train.march_steps, min(train.march_sharpness / inv_s, 0.05))


def render_rays(
    model: SceneModel,
    occupancy: OccupancyGrid,
    rays: Rays,
    train: TrainConfig,
    *,
    background: Tensor | None = None,
    lod: float | None = None,
    sample_counts: SampleCounts = TRAIN_SAMPLE_COUNTS,
) -> Rendered:
    """Volume rendering of ``rays`` as `sample_rays` and `render_samples` do it together."""
    ray_samples = sample_rays(model, occupancy, rays, train, lod=lod)
    return render_samples(
        model, rays, ray_samples, train, background=background, lod=lod, sample_counts=sample_counts
    )


@torch.no_grad()
def sample_rays(
    model: SceneModel,
    occupancy: OccupancyGrid,
    rays: Rays,
    train: TrainConfig,
    *,
    cos_anneal_ratio: float = 1.0,
    jitter: Tensor | None = None,
    lod: float | None = None,
) -> RaySamples:
    """March ``rays`` and cull samples of low weight.

    Args:
        model: the scene.
        occupancy: cells that may be skipped, and the region.
        rays: R rays.
        train: step lengths and thresholds.
        cos_anneal_ratio: see `neus_alpha`.
        jitter: [R] in [0, 1), shifts the samples in training.
        lod: upper limit of the levels of detail of a density.
    """
    origins, directions, shape = rays.origins, rays.directions, model.shape
    crossing = occupancy.crossing(origins, directions)
    if not model.has_sdf and shape.ray_samples is not None:
        coarse, samples = march_hierarchically(
            origins,
            directions,
            occupancy,
            shape.ray_samples,
            jitter,
            lambda x: shape.implicit_value(x, 1),
        )
        return RaySamples(samples, None, len(samples.t_starts), crossing, coarse=coarse)
    if not model.has_sdf:
        samples, n_marched = march_through_density(
            origins,
            directions,
            occupancy,
            train.density_step,
            jitter,
            lambda x: shape.implicit_value(x, lod),
            train.density_cull_weight,
        )
        return RaySamples(samples, None, n_marched, crossing)
    inv_s = float(model.inv_s)
    dt = step_length(train, inv_s)
    if train.cull_weight > 0:
        return RaySamples(
            *march_to_surface(
                origins,
                directions,
                occupancy,
                dt,
                jitter,
                shape.implicit_value,
                inv_s,
                cos_anneal_ratio,
                train.cull_weight,
            ),
            crossing,
        )
    samples = march(origins, directions, occupancy, dt, jitter)
    return RaySamples(samples, None, len(samples.t_starts), crossing)


def render_samples(
    model: SceneModel,
    rays: Rays,
    ray_samples: RaySamples,
    train: TrainConfig,
    *,
    cos_anneal_ratio: float = 1.0,
    background: Tensor | None = None,
    jitter: Tensor | None = None,
    regularizer_points: Tensor | None = None,
    lod: float | None = None,
    sample_counts: SampleCounts = TRAIN_SAMPLE_COUNTS,
) -> Rendered:
    """Evaluate the field at ``ray_samples`` and composite.

    Args:
        model: the scene.
        rays: R rays.
        ray_samples: from `sample_rays` for the same rays.
        train: numbers of background samples.
        cos_anneal_ratio: see `neus_alpha`.
        background: [R, 3] or [3] colour behind the scene; None: the background of the model, black
            if it has none.
        jitter: [R] in [0, 1), shifts the samples of the background.
        regularizer_points: [N, 3] further points whose values are evaluated together with the
            samples, since one large evaluation is cheaper than two.
        lod: upper limit of the levels of detail of a density.
        sample_counts: samples outside the region in an unbounded field.
    """
    if not model.has_sdf:
        return _render_density(
            model,
            rays,
            ray_samples,
            train,
            background,
            jitter,
            regularizer_points,
            lod,
            sample_counts,
        )
    samples = ray_samples.samples
    positions = samples.positions(rays.origins, rays.directions)
    n, stride = len(positions), model.surface.config.fd_stride
    field_samples = surface_samples(model, positions, regularizer_points)
    sdf, gradients, normals = field_samples.sdf[:n], field_samples.gradients, None
    if stride > 1:
        slopes = samples.slopes(sdf)
    else:
        slopes = (gradients[:n] * rays.directions[samples.ray_indices]).sum(-1)
        normals = F.normalize(gradients[:n], dim=-1, eps=1e-6)
    laplacian = (
        None if field_samples.laplacian is None else field_samples.laplacian[: -(-n // stride)]
    )
    sample_frustums = _frustums(model, rays, samples)
    features = model.features(positions, field_samples.features[:n], frustums=sample_frustums)
    color = sample_color(model, rays, samples, positions, normals, features)
    lengths = samples.t_ends - samples.t_starts
    alphas = neus_alpha(sdf, slopes, lengths, model.inv_s, cos_anneal_ratio)
    composited = composite_rays(
        model,
        rays,
        ray_samples,
        alphas,
        color,
        train,
        background,
        jitter,
        sample_counts=sample_counts,
    )
    return Rendered(
        composited.color,
        composited.opacity,
        composited.depth,
        gradients,
        laplacian,
        None,
        ray_samples.n_marched,
        n,
        unbounded=composited.unbounded,
        histogram=composited.histogram,
    )


def _render_density(
    model: SceneModel,
    rays: Rays,
    ray_samples: RaySamples,
    train: TrainConfig,
    background: Tensor | None,
    jitter: Tensor | None,
    regularizer_points: Tensor | None,
    lod: float | None,
    sample_counts: SampleCounts,
) -> Rendered:
    """Render the density of the radiance field (Mildenhall et al. 2020, eq. 3).

    A density has no normals; rays see into it and find hollows that an opaque surface would close.
    """
    samples = ray_samples.samples
    positions = samples.positions(rays.origins, rays.directions)
    n, sample_frustums = len(positions), _frustums(model, rays, samples)
    if regularizer_points is None:
        (level, features), regularizer_logits = (
            model.shape.value_and_features(positions, lod, sample_frustums),
            None,
        )
    elif sample_frustums is None:
        level, features = model.shape.value_and_features(
            torch.cat([positions, regularizer_points]), lod
        )
        level, regularizer_logits = level[:n], level[n:]
    else:  # what is around are points
        level, features = model.shape.value_and_features(positions, lod, sample_frustums)
        regularizer_logits = model.shape.implicit_value(regularizer_points, lod)
    color = sample_color(model, rays, samples, positions, None, features[:n], lod)
    alphas = density_alpha(level, samples.t_ends - samples.t_starts)
    composited = composite_rays(
        model, rays, ray_samples, alphas, color, train, background, jitter, lod, sample_counts
    )
    return Rendered(
        composited.color,
        composited.opacity,
        composited.depth,
        None,
        None,
        regularizer_logits,
        ray_samples.n_marched,
        n,
        unbounded=composited.unbounded,
        histogram=composited.histogram,
    )


def _frustums(model: SceneModel, rays: Rays, samples: Samples) -> Frustums | None:
    """Return the frustums of ``samples`` if the model uses them."""
    if model.proposal is None or rays.width is None:
        return None
    return frustums(rays[samples.ray_indices], samples.t_starts, samples.t_ends)


def surface_samples(
    model: SceneModel, positions: Tensor, regularizer_points: Tensor | None
) -> FieldSamples:
    """Evaluate the SDF at ``positions`` [S, 3] and ``regularizer_points`` [N, 3].

    Finite differences are computed at every `fd_stride`-th of the former and at all of the latter.
    """
    n, stride = len(positions), model.surface.config.fd_stride
    asked = positions if regularizer_points is None else torch.cat([positions, regularizer_points])
    fd_indices = torch.arange(len(asked), device=asked.device)
    if stride > 1:
        some = fd_indices[:n:stride] if regularizer_points is not None else fd_indices[:0]
        fd_indices = torch.cat([some, fd_indices[n:]])
    return model.surface.samples(asked, fd_indices=fd_indices)


def sample_color(
    model: SceneModel,
    rays: Rays,
    samples: Samples,
    positions: Tensor,
    normals: Tensor | None,
    features: Tensor,
    lod: float | None = None,
) -> Tensor:
    """Return the colours [S, 3] of the samples along their own rays."""
    ray = samples.ray_indices
    photo = None if rays.photo is None else rays.photo[ray]
    appearance = model.appearance(photo, len(positions))
    directions = rays.directions[ray]
    return model.color(positions, normals, directions, features, appearance, lod)
