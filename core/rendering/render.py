"""Rays through the model: march, cull, ask the field, composite."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from core.config.run import TrainConfig
from core.field.background import background_color
from core.field.base import FieldSamples
from core.field.contraction import Frustums
from core.field.model import SceneModel
from core.rendering.hierarchical import march_hierarchically
from core.rendering.occupancy import Crossing, OccupancyGrid
from core.rendering.rays import Rays
from core.rendering.sampling import Samples, march, march_through_density, march_to_surface
from core.rendering.unbounded import (
    TRAINED,
    SampleCounts,
    UnboundedRender,
    WeightHistogram,
    frustums,
    full_histogram,
    render_beyond,
)
from core.rendering.volume import composite, density_alpha, neus_alpha


@dataclass(frozen=True)
class Rendered:
    """``color`` [R, 3] including what lies behind, ``opacity`` [R] of the surface, ``depth`` [R]
    as Σ w·t; the SDF's ``gradients`` [M, 3] at the samples that have taps and at the points asked
    for ``around``, its ``laplacian`` [m] at the former (both None in the warm-up), the density's
    ``levels`` at the latter (None after it); sample counts before and after culling; of a field of
    all of space what lies ``beyond`` the region and where along the rays, in the region and beyond,
    light is stopped."""

    color: Tensor
    opacity: Tensor
    depth: Tensor
    gradients: Tensor | None
    laplacian: Tensor | None
    levels: Tensor | None
    n_marched: int
    n_kept: int
    beyond: UnboundedRender | None = field(default=None, kw_only=True)
    course: WeightHistogram | None = field(default=None, kw_only=True)

    @property
    def n_beyond(self) -> int:
        """How many samples more lie beyond the region."""
        return 0 if self.beyond is None else len(self.beyond.course.weights)


def step_length(train: TrainConfig, inv_s: float) -> float:
    """Marching step: fine enough for the present sharpness, never below the ball's diameter over
    `march_steps`."""
    return max(2 / train.march_steps, min(train.march_sharpness / inv_s, 0.05))


@dataclass(frozen=True)
class RaySamples:
    """Where rays are to be asked: the samples that carry weight; by how much those that were
    culled let light through [R] (None: unknown); how many there were before culling; where the rays
    cross the region; where the coarsest level said where to ask, the samples that it was asked
    at."""

    samples: Samples
    let_through: Tensor | None
    n_marched: int
    crossing: Crossing
    coarse: Samples | None = field(default=None, kw_only=True)


def render_rays(
    model: SceneModel,
    occupancy: OccupancyGrid,
    rays: Rays,
    train: TrainConfig,
    *,
    behind: Tensor | None = None,
    levels: float | None = None,
    fine: SampleCounts = TRAINED,
) -> Rendered:
    """Volume rendering of ``rays`` as `sample_rays` and `render_samples` do it together."""
    found = sample_rays(model, occupancy, rays, train, levels=levels)
    return render_samples(model, rays, found, train, behind=behind, levels=levels, fine=fine)


@torch.no_grad()
def sample_rays(
    model: SceneModel,
    occupancy: OccupancyGrid,
    rays: Rays,
    train: TrainConfig,
    *,
    cos_anneal_ratio: float = 1.0,
    jitter: Tensor | None = None,
    levels: float | None = None,
) -> RaySamples:
    """March ``rays`` and cull. ``jitter`` [R] shifts the samples (training); ``levels`` limits the
    levels of detail of a density."""
    origins, directions, shape = rays.origins, rays.directions, model.shape
    crossing = occupancy.crossing(origins, directions)
    if not model.has_sdf and shape.ray_samples is not None:
        coarse, samples = march_hierarchically(
            origins, directions, occupancy, shape.ray_samples, jitter, lambda x: shape.sdf(x, 1)
        )
        return RaySamples(samples, None, len(samples.t_starts), crossing, coarse=coarse)
    if not model.has_sdf:
        samples, n_marched = march_through_density(
            origins,
            directions,
            occupancy,
            train.density_step,
            jitter,
            lambda x: shape.sdf(x, levels),
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
                shape.sdf,
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
    found: RaySamples,
    train: TrainConfig,
    *,
    cos_anneal_ratio: float = 1.0,
    behind: Tensor | None = None,
    jitter: Tensor | None = None,
    around: Tensor | None = None,
    levels: float | None = None,
    fine: SampleCounts = TRAINED,
) -> Rendered:
    """Ask the field at the samples ``found`` on ``rays`` and composite.

    ``behind`` [R, 3] or [3]: the colour where nothing is hit; None for the model's own background
    (black if it has none), or what lies beyond the region in a field of all of space, drawn as
    ``fine``. ``jitter`` [R] shifts the samples of that. ``around``
    [N, 3]: further points whose field values are wanted, asked together with the samples because
    one large question is cheaper than two. In the warm-up it is the radiance field's density that
    is rendered, with no more ``levels`` of detail than wanted.
    """
    if not model.has_sdf:
        return _render_density(model, rays, found, train, behind, jitter, around, levels, fine)
    samples = found.samples
    positions = samples.positions(rays.origins, rays.directions)
    n, every = len(positions), model.surface.config.fd_stride
    told = surface_samples(model, positions, around)
    sdf, gradients, normals = told.sdf[:n], told.gradients, None
    if every > 1:
        slopes = samples.slopes(sdf)
    else:
        slopes = (gradients[:n] * rays.directions[samples.ray_indices]).sum(-1)
        normals = F.normalize(gradients[:n], dim=-1, eps=1e-6)
    laplacian = None if told.laplacian is None else told.laplacian[: -(-n // every)]
    wide = _frustums(model, rays, samples)
    features = model.features(positions, told.features[:n], frustums=wide)
    color = sample_color(model, rays, samples, positions, normals, features)
    lengths = samples.t_ends - samples.t_starts
    alphas = neus_alpha(sdf, slopes, lengths, model.inv_s, cos_anneal_ratio)
    seen = composite_rays(model, rays, found, alphas, color, train, behind, jitter, fine=fine)
    return Rendered(
        seen.color,
        seen.opacity,
        seen.depth,
        gradients,
        laplacian,
        None,
        found.n_marched,
        n,
        beyond=seen.beyond,
        course=seen.course,
    )


def _render_density(
    model: SceneModel,
    rays: Rays,
    found: RaySamples,
    train: TrainConfig,
    behind: Tensor | None,
    jitter: Tensor | None,
    around: Tensor | None,
    levels: float | None,
    fine: SampleCounts,
) -> Rendered:
    """The same through the density of the radiance field (Mildenhall et al. 2020, eq. 3), which
    has no normals: rays see into it, and so find hollows that an opaque surface would close."""
    samples = found.samples
    positions = samples.positions(rays.origins, rays.directions)
    n, wide = len(positions), _frustums(model, rays, samples)
    if around is None:
        (level, features), of_around = model.shape.sdf_and_features(positions, levels, wide), None
    elif wide is None:
        level, features = model.shape.sdf_and_features(torch.cat([positions, around]), levels)
        level, of_around = level[:n], level[n:]
    else:  # what is around are points
        level, features = model.shape.sdf_and_features(positions, levels, wide)
        of_around = model.shape.sdf(around, levels)
    color = sample_color(model, rays, samples, positions, None, features[:n], levels)
    alphas = density_alpha(level, samples.t_ends - samples.t_starts)
    seen = composite_rays(model, rays, found, alphas, color, train, behind, jitter, levels, fine)
    return Rendered(
        seen.color,
        seen.opacity,
        seen.depth,
        None,
        None,
        of_around,
        found.n_marched,
        n,
        beyond=seen.beyond,
        course=seen.course,
    )


def _frustums(model: SceneModel, rays: Rays, samples: Samples) -> Frustums | None:
    """Of ``samples``, if the model is told of them."""
    if model.proposal is None or rays.width is None:
        return None
    return frustums(rays[samples.ray_indices], samples.t_starts, samples.t_ends)


def surface_samples(model: SceneModel, positions: Tensor, around: Tensor | None) -> FieldSamples:
    """What the surface's field says of ``positions`` [S, 3] and of the points ``around`` [N, 3],
    with the taps that training wants: at some of the former, at all of the latter."""
    n, every = len(positions), model.surface.config.fd_stride
    asked = positions if around is None else torch.cat([positions, around])
    tapped = torch.arange(len(asked), device=asked.device)
    if every > 1:
        some = tapped[:n:every] if around is not None else tapped[:0]
        tapped = torch.cat([some, tapped[n:]])
    return model.surface.samples(asked, tapped=tapped)


def sample_color(
    model: SceneModel,
    rays: Rays,
    samples: Samples,
    positions: Tensor,
    normals: Tensor | None,
    features: Tensor,
    levels: float | None = None,
) -> Tensor:
    """[S, 3] of the samples as their own rays see them."""
    ray = samples.ray_indices
    photo = None if rays.photo is None else rays.photo[ray]
    appearance = model.appearance(photo, len(positions))
    directions = rays.directions[ray]
    return model.color(positions, normals, directions, features, appearance, levels)


@dataclass(frozen=True)
class CompositedRays:
    """``color`` [R, 3] with what lies behind; ``opacity`` [R] and ``depth`` [R] as Σ w·t of what is
    in the region; of a field of all of space what is ``beyond`` and where light is stopped."""

    color: Tensor
    opacity: Tensor
    depth: Tensor
    beyond: UnboundedRender | None = None
    course: WeightHistogram | None = None


def composite_rays(
    model: SceneModel,
    rays: Rays,
    found: RaySamples,
    alphas: Tensor,
    color: Tensor,
    train: TrainConfig,
    behind: Tensor | None,
    jitter: Tensor | None,
    levels: float | None = None,
    fine: SampleCounts = TRAINED,
) -> CompositedRays:
    """Of samples of ``color`` [S, 3]. The samples that were culled would have dimmed what lies
    behind; were it left to shine through, surfaces would swell to hide it."""
    samples, let_through = found.samples, found.let_through
    middle = 0.5 * (samples.t_starts + samples.t_ends)
    one = torch.ones_like(middle)[:, None]
    weights, out = composite(
        alphas, torch.cat([one, middle[:, None], color], -1), samples.ray_starts
    )
    opacity, out = out[:, 0], out[:, 1:]
    if let_through is not None:
        whole = 1 - let_through * (1 - opacity)
        # at most twofold: where nearly all was culled, the rest tells little of what it was
        stretch = (whole / opacity.clamp(min=1e-6)).clamp(max=2.0)
        opacity, out = opacity * stretch, out * stretch[:, None]
        weights = weights * stretch[samples.ray_indices]
    shade, depth = out[:, 1:4], out[:, 0]
    if behind is None and model.proposal is not None:
        beyond = render_beyond(model, rays, found.crossing, 1 - opacity, jitter, levels, fine)
        course = full_histogram(beyond, rays, samples, weights)
        return CompositedRays(shade + beyond.color, opacity, depth, beyond, course)
    if behind is None and model.background is not None:
        behind = _background(model, rays, found.crossing.beyond, opacity.detach(), train, jitter)
    if behind is not None:
        shade = shade + (1 - opacity)[:, None] * behind
    return CompositedRays(shade, opacity, depth)


def _background(
    model: SceneModel,
    rays: Rays,
    beyond: Tensor,
    opacity: Tensor,
    train: TrainConfig,
    jitter: Tensor | None,
) -> Tensor:
    """[R, 3]; only rays that the surface leaves open are asked, the rest could not show it."""
    open_rays = (opacity < 0.999).nonzero()[:, 0]
    photo = None if rays.photo is None else rays.photo[open_rays]
    assert model.background is not None
    color = background_color(
        model.background,
        rays.origins[open_rays],
        rays.directions[open_rays],
        beyond[open_rays],
        photo,
        model.appearance,
        train.background_samples,
        None if jitter is None else jitter[open_rays],
    )
    return torch.zeros_like(rays.origins).index_copy(0, open_rays, color)
