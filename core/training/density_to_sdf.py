"""The end of the topology warm-up: the density becomes a signed distance.

A level set of a density is noisy and swells or shrinks with the level; what the cameras see of it
is sharp. So each camera's depth is rendered, the depths are fused, and the SDF is fitted to that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.base.jobs import Progress, Task, subtask
from core.base.parallel import num_workers, parallel_map
from core.capture.scene import Photo, Scene
from core.field.model import SceneModel
from core.field.sdf_field import SdfField
from core.geometry.cameras import Intrinsics
from core.geometry.depth_fusion import DistanceFusion
from core.rendering.occupancy import OccupancyGrid, interpolate
from core.rendering.rays import Rays
from core.rendering.sampling import DENSITY_STEP, march, random_in_ball
from core.rendering.volume import density
from core.training.ray_source import photo_rays

FUSION_RESOLUTION = 128
DEPTH_MAP_SIDE = 140
"""Pixels along the longer side of a depth map."""
MAX_CAMERAS = 50
"""So many, spread over all of them, have their depths fused."""
RAY_CHUNK = 4096
FIT_STEPS = 120
FIT_POINTS = 16384
FIT_RATE = 8e-3


def density_to_sdf(
    model: SceneModel, occupancy: OccupancyGrid, scene: Scene, lenses: Sequence[Intrinsics]
) -> Task[None]:
    """Fit ``model.sdf_field`` to what the cameras see of its radiance field, and switch the
    model to it. ``lenses``: one per photo."""
    fusing = fused_distances(model, occupancy, scene, lenses)
    distances, near = yield from subtask(fusing, 0.0, 0.5)
    cell = 2 / len(distances)
    fitting = fit_sdf(model.surface, lambda x: interpolate(distances, x), near, cell)
    yield from subtask(fitting, 0.5, 1.0)
    model.use_sdf()


def fused_distances(
    model: SceneModel, occupancy: OccupancyGrid, scene: Scene, lenses: Sequence[Intrinsics]
) -> Task[tuple[Tensor, Tensor]]:
    """The signed distances [G, G, G] over [-1, 1]³ to what the cameras see of the density
    of ``model``, and the indices [N, 3] of the cells near it."""
    fusion = DistanceFusion(FUSION_RESOLUTION)
    views = [v for v in zip(scene.photos, lenses) if v[0].name not in scene.excluded]
    chosen = views[:: -(-len(views) // MAX_CAMERAS)]
    n_workers = num_workers(model.device)
    for i in range(0, len(chosen), n_workers):
        for _ in _fuse(fusion, model, occupancy, scene, chosen[i : i + n_workers]):
            yield Progress(i / len(chosen))
    distances = torch.from_numpy(fusion.signed_distance()).to(model.device)
    yield Progress(1.0)
    return distances, (distances.abs() < 3 * 2 / len(distances)).nonzero().float()


def _fuse(
    fusion: DistanceFusion,
    model: SceneModel,
    occupancy: OccupancyGrid,
    scene: Scene,
    views: Sequence[tuple[Photo, Intrinsics]],
) -> Iterator[None]:
    """Take the depth of each of ``views``, one a lane, into ``fusion``."""

    def depth(view: tuple[Photo, Intrinsics]) -> np.ndarray:
        photo, lens = view
        rays = photo_rays(scene, photo, lens).to(model.device)
        parts = [rays[i : i + RAY_CHUNK] for i in range(0, len(rays), RAY_CHUNK)]
        distances = [median_distance(model, occupancy, part) for part in parts]
        return torch.cat(distances).view(lens.height, lens.width).cpu().numpy()

    views = [(photo, _small_pinhole(lens)) for photo, lens in views]
    depths = parallel_map(depth, views)
    yield
    for (photo, lens), distance in zip(views, depths):
        fusion.add(distance, lens, scene.scene_from_camera(photo))
    yield


def _small_pinhole(lens: Intrinsics) -> Intrinsics:
    """A lens of a depth map's size that looks where ``lens`` does, without its distortion."""
    return replace(lens.shrunk(DEPTH_MAP_SIDE), model="pinhole", distortion=())


@torch.no_grad()
def median_distance(model: SceneModel, occupancy: OccupancyGrid, rays: Rays) -> Tensor:
    """[R] scene units along each ray to where half of its light is stopped by the density;
    infinite where it never is inside the ball."""
    steps = march(rays.origins, rays.directions, occupancy, DENSITY_STEP)
    lengths = steps.t_ends - steps.t_starts
    positions = steps.positions(rays.origins, rays.directions)
    thickness = density(model.shape.implicit_value(positions)) * lengths
    before = steps.sum_before(thickness)
    after = before + thickness
    half = math.log(2)
    stops = (before < half) & (after >= half)
    within = (half - before[stops]) / thickness[stops]
    distance = torch.full((len(rays),), math.inf, device=rays.origins.device)
    distance[steps.ray_indices[stops]] = steps.t_starts[stops] + lengths[stops] * within.float()
    return distance


def fit_sdf(
    field: SdfField, target: Callable[[Tensor], Tensor], near: Tensor, cell: float
) -> Task[None]:
    """Regress ``field`` onto the distances that ``target`` says, most points in the cells ``near``
    [N, 3], each ``cell`` scene units wide."""
    device = field.grid.table.device
    parameters = list(field.parameters())
    optimizer = torch.optim.Adam(parameters, FIT_RATE, betas=(0.9, 0.99), eps=1e-15, fused=True)

    def gradients(points: Tensor) -> tuple[Tensor, ...]:
        with torch.no_grad():
            distances = target(points)
        return torch.autograd.grad(F.l1_loss(field.implicit_value(points), distances), parameters)

    for step in range(FIT_STEPS):
        points = fit_points(FIT_POINTS, near, cell, device)
        parts = parallel_map(gradients, points.chunk(num_workers(points.device)))
        for parameter, *found in zip(parameters, *parts):
            parameter.grad = torch.stack(found).mean(0)
        for group in optimizer.param_groups:
            group["lr"] = FIT_RATE * (1.02 - step / FIT_STEPS)
        optimizer.step()
        yield Progress(step / FIT_STEPS)


def fit_points(n: int, near: Tensor, cell: float, device: torch.device) -> Tensor:
    """[n, 3] in random order, three quarters of them in cells ``near`` the surface if there are
    any, the rest all over the ball."""
    n_near = n * 3 // 4 if len(near) else 0
    points = random_in_ball(n - n_near, device)
    if n_near:
        chosen = near[torch.randint(len(near), (n_near,), device=device)]
        close = (chosen + torch.rand(n_near, 3, device=device)) * cell - 1
        points = torch.cat([points, close])
    return points[torch.randperm(len(points), device=device)]
