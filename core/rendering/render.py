"""Rays through the model: march, cull, ask the field, composite."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.config import TrainConfig
from core.field.background import background_color
from core.field.model import SurfaceModel
from core.field.sdf_field import SurfaceSamples
from core.rendering.occupancy import OccupancyGrid
from core.rendering.sampling import march, march_through_fog, march_to_surface
from core.rendering.volume import composite, fog_alpha, neus_alpha


@dataclass(frozen=True)
class Rays:
    """``origins, directions`` [R, 3], scene units, unit directions; ``photo`` [R] index of the
    photo each belongs to, or None for a view of no photo."""

    origins: Tensor
    directions: Tensor
    photo: Tensor | None = None

    def __len__(self) -> int:
        return len(self.origins)

    def __getitem__(self, part: slice) -> Rays:
        photo = None if self.photo is None else self.photo[part]
        return Rays(self.origins[part], self.directions[part], photo)

    def to(self, device: torch.device) -> Rays:
        """The same rays on ``device``."""
        photo = None if self.photo is None else self.photo.to(device)
        return Rays(self.origins.to(device), self.directions.to(device), photo)


@dataclass(frozen=True)
class Rendered:
    """``color`` [R, 3] including what lies behind, ``opacity`` [R] of the surface, ``depth`` [R]
    as Σ w·t, ``normals`` [R, 3] as Σ w·n; the field's answers at the samples and at the points
    asked for ``around``; sample counts before and after culling."""

    color: Tensor
    opacity: Tensor
    depth: Tensor
    normals: Tensor
    field: SurfaceSamples
    around: SurfaceSamples
    n_marched: int
    n_kept: int


def step_length(train: TrainConfig, inv_s: float) -> float:
    """Marching step: fine enough for the present sharpness, never below the ball's diameter over
    `march_steps`."""
    return max(2 / train.march_steps, min(train.march_sharpness / inv_s, 0.05))


def render_rays(
    model: SurfaceModel, occupancy: OccupancyGrid, rays: Rays, train: TrainConfig, *,
    cos_anneal_ratio: float = 1.0, fog: float = 0.0, behind: Tensor | None = None,
    jitter: Tensor | None = None, around: Tensor | None = None, levels: float | None = None,
) -> Rendered:
    """Volume rendering of ``rays``.

    ``behind`` [R, 3] or [3]: the colour where nothing is hit, used when the model has no background
    of its own (black if None). ``fog``: of the topology warm-up, in which rays see into the
    surface; at 1 there is nothing else, below that it fades. ``jitter`` [R] shifts the samples
    (training). ``around`` [N, 3]: further points whose field values are wanted, asked together
    with the samples because one large question is cheaper than two.
    """
    inv_s = float(model.inv_s.detach())
    origins, directions = rays.origins, rays.directions
    dt = step_length(train, inv_s)
    if fog:
        samples, n_marched = march_through_fog(
            origins, directions, occupancy, dt, jitter, lambda x: model.sdf_field.sdf(x, levels),
            inv_s, train.cull_weight,
        )
    elif train.cull_weight > 0:
        samples, n_marched = march_to_surface(
            origins, directions, occupancy, dt, jitter, lambda x: model.sdf_field.sdf(x, levels),
            inv_s, cos_anneal_ratio, train.cull_weight,
        )
    else:
        samples = march(origins, directions, occupancy, dt, jitter)
        n_marched = len(samples.t_starts)
    ray = samples.ray_indices
    positions = samples.positions(origins, directions)
    asked = positions if around is None else torch.cat([positions, around])
    field, rest = model.sdf_field.samples(asked, levels).split(len(positions))
    normals = F.normalize(field.gradients, dim=-1, eps=1e-6)
    photo = None if rays.photo is None else rays.photo[ray]
    color = model.color(
        positions, normals, directions[ray], field.features,
        model.appearance(photo, len(positions)),
    )
    lengths = samples.t_ends - samples.t_starts
    alphas = torch.zeros_like(lengths)
    if fog < 1:
        alphas = neus_alpha(
            field.sdf, field.gradients, directions[ray], lengths, model.inv_s, cos_anneal_ratio
        )
    if fog > 0:
        alphas = 1 - (1 - alphas) * (1 - fog_alpha(field.sdf, lengths, inv_s, fog))
    middle = 0.5 * (samples.t_starts + samples.t_ends)
    one = torch.ones_like(middle)
    values = torch.cat([color, one[:, None], middle[:, None], normals.detach()], -1)
    _, out = composite(alphas, values, samples.ray_starts)
    opacity = out[:, 3]
    if model.background is not None:
        behind = _background(model, rays, opacity.detach(), train, jitter)
    shade = out[:, :3]
    if behind is not None:
        shade = shade + (1 - opacity)[:, None] * behind
    return Rendered(
        shade, opacity, out[:, 4], out[:, 5:8], field, rest, n_marched, len(positions)
    )


def _background(
    model: SurfaceModel, rays: Rays, opacity: Tensor, train: TrainConfig,
    jitter: Tensor | None,
) -> Tensor:
    """[R, 3]; only rays that the surface leaves open are asked, the rest could not show it."""
    open_rays = (opacity < 0.999).nonzero()[:, 0]
    photo = None if rays.photo is None else rays.photo[open_rays]
    assert model.background is not None
    color = background_color(
        model.background, rays.origins[open_rays], rays.directions[open_rays], photo,
        model.appearance, train.background_samples,
        None if jitter is None else jitter[open_rays],
    )
    return torch.zeros_like(rays.origins).index_copy(0, open_rays, color)
