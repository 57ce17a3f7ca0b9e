"""Rays that stop at the surface: differentiable sphere tracing.

Where `render_samples` spreads a pixel over the samples around the surface, here it is what one
point of it shows, so that at the end of a run colours are learnt where they are later seen.

Source: Liu et al. 2020 (DIST); the derivative of a point with respect to the field that it was
found in is that of Niemeyer et al. 2020 (DVR), eq. 9, and of Yariv et al. 2020 (IDR), eq. 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.config.run import TrainConfig
from core.field.model import SceneModel
from core.field.sdf_field import SdfField
from core.kernels import for_device
from core.rendering.composite import RaySamples, composite_rays
from core.rendering.occupancy import OccupancyGrid
from core.rendering.rays import Rays
from core.rendering.render import Rendered, sample_color, surface_samples
from core.rendering.sampling import Samples
from core.rendering.shading import lambert
from core.rendering.sphere_trace import sphere_trace

ANGLE_TOLERANCE = 2e-4
"""An angle: how far off a point may be that is then moved onto the surface by its own distance."""
SILHOUETTE_TAIL = 6.0
"""A ray that passes this far from the surface, in units of 1 / inv_s, leaves no trace of it."""
MAX_SLOPE = -0.1
"""Slope of the distance along a ray that meets the surface: one that grazes would move its point
far for a small change of the field."""


@dataclass(frozen=True)
class SurfaceHits(RaySamples):
    """One sample, of no length, for each ray that comes near the surface: where it is met, ``hit``
    [S], or else passed most closely."""

    hit: Tensor


@torch.no_grad()
def intersect_surface(model: SceneModel, occupancy: OccupancyGrid, rays: Rays) -> SurfaceHits:
    """Where ``rays`` meet the surface, or nearly."""
    origins, directions, field = rays.origins, rays.directions, model.surface
    t, hit = sphere_trace(field.implicit_value, origins, directions, occupancy, ANGLE_TOLERANCE)
    missed = (~hit).nonzero()[:, 0]
    near, passed, asked = _closest_approach(
        field, occupancy, origins[missed], directions[missed], float(model.inv_s)
    )
    t[missed[near]] = passed
    kept = hit.clone()
    kept[missed[near]] = True
    starts = F.pad(kept.cumsum(0), (1, 0))
    samples = Samples(t[kept], t[kept], starts)
    crossing = occupancy.crossing(origins, directions)
    return SurfaceHits(samples, None, len(t) + asked, crossing, hit[kept])


def _closest_approach(
    field: SdfField, occupancy: OccupancyGrid, origins: Tensor, directions: Tensor, inv_s: float
) -> tuple[Tensor, Tensor, int]:
    """Which rays come within reach of the surface [N], where they are nearest to it [N], and how
    often the field was asked."""
    start, end = occupancy.span(origins, directions)
    reach = SILHOUETTE_TAIL / inv_s
    dt = 0.5 * reach
    near = Samples(
        *for_device(origins.device).march_near(
            origins, directions, start, end, occupancy.distances, dt, reach + occupancy.error
        )[:3]
    )
    distance = field.implicit_value(near.positions(origins, directions))
    ray = near.ray_indices
    least = torch.full_like(start, reach).scatter_reduce_(0, ray, distance, "amin")
    nearest = distance == least[ray]
    at = torch.zeros_like(start)
    at[ray[nearest]] = near.t_starts[nearest] + 0.5 * dt
    within = (least < reach).nonzero()[:, 0]
    return within, at[within], len(distance)


def render_surface(
    model: SceneModel,
    rays: Rays,
    hits: SurfaceHits,
    train: TrainConfig,
    *,
    background: Tensor | None = None,
    jitter: Tensor | None = None,
    regularizer_points: Tensor | None = None,
    light: Tensor | None = None,
) -> Rendered:
    """What the surface shows where ``rays`` have ``hits``; arguments as for `render_samples`.
    Differentiable in the field's parameters through colour, depth, normals and silhouette. With a
    ``light``, as in `lambert`, by which it is differentiable too, colours are what that lights."""
    ray, t = hits.samples.ray_indices, hits.samples.t_starts
    origins, directions = rays.origins[ray], rays.directions[ray]
    points = torch.addcmul(origins, directions, t[:, None])
    n, every = len(points), model.surface.config.fd_stride
    field = surface_samples(model, points, regularizer_points)
    sdf, gradients, normals = field.sdf[:n], field.gradients, None
    if every == 1:
        normals = F.normalize(gradients[:n], dim=-1, eps=1e-6)
        facing = gradients[:n].detach()
    else:
        with torch.no_grad():
            facing = model.surface.samples(points, analytic=True).gradients
    t = moved_with_surface(t, sdf, (facing * directions).sum(-1), hits.hit)
    positions = torch.addcmul(origins, directions, t[:, None])
    features = model.features(positions, field.features[:n])
    color = sample_color(model, rays, hits.samples, positions, normals, features)
    if light is not None:  # by the normals where the points are after they have moved
        there = model.surface.samples(positions).gradients
        color = color * lambert(F.normalize(there, dim=-1, eps=1e-6), light)
    alphas = silhouette(sdf, hits.hit, model.inv_s)
    composited = composite_rays(model, rays, hits, alphas, color, train, background, jitter)
    depth = torch.zeros_like(composited.opacity).index_add(0, ray, alphas * t)
    laplacian = None if field.laplacian is None else field.laplacian[: -(-n // every)]
    return Rendered(
        composited.color,
        composited.opacity,
        depth,
        gradients,
        laplacian,
        None,
        hits.n_marched,
        n,
        unbounded=composited.unbounded,
        histogram=composited.histogram,
    )


def moved_with_surface(t: Tensor, sdf: Tensor, slopes: Tensor, hit: Tensor) -> Tensor:
    """``t`` [S] of points with the distances ``sdf`` [S], which change along the ray by ``slopes``
    [S], differentiable in the field's parameters θ where they ``hit`` [S]: from f(o + t d) = 0
    follows dt/dθ = -(∂f/∂θ) / (∇f · d). In value the same step is one of Newton's."""
    step = sdf / slopes.detach().clamp(max=MAX_SLOPE)
    return t - torch.where(hit, step, torch.zeros_like(step))


def silhouette(sdf: Tensor, hit: Tensor, inv_s: Tensor) -> Tensor:
    """Opacity [S] of rays whose nearest point has the distance ``sdf`` [S]: 1 where the surface is
    hit, else what the logistic density of NeuS makes of a ray that passes so far off."""
    return torch.where(hit, torch.ones_like(sdf), torch.sigmoid(-sdf * inv_s))
