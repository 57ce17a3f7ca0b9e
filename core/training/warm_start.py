"""A new run that begins with what another one has learnt of the same scene.

The two may differ in everything, levels, sizes, even the method, so no parameter is copied: the new
fields are fitted to what the old ones say, near the surface above all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.base.jobs import Progress, Task, subtask
from core.base.parallel import num_workers, parallel_map
from core.field.contraction import FAR, contract
from core.field.model import SceneModel
from core.rendering.occupancy import OccupancyGrid, interpolate
from core.training.density_to_sdf import fit_points, fit_sdf, fused_distances
from core.training.trainer import Trainer

FIT_STEPS, FIT_POINTS, FIT_RATE = 150, 8192, 8e-3
LOGIT_PER_DISTANCE = 10.0
"""Of the levels of a density that stands for a surface, per scene unit of its distance."""
MIN_LOGIT = -0.2
START_PROGRESS = 0.3
"""Progress at which the schedules begin that know no end of a topology warm-up."""


def warm_start(trainer: Trainer, old: SceneModel, occupancy: OccupancyGrid) -> Task[None]:
    """Fit the fresh model of ``trainer`` to ``old``, of the same scene and with ``occupancy``, and
    put its schedules where that leaves it."""
    new, scene = trainer.model, trainer.scene
    at = trainer.config.train.density_until if new.sdf_field is not None else 0.0
    at = at or START_PROGRESS
    trainer.enter_schedule(at)
    _copy_surroundings(new, old)
    near = _visible_cells(old, occupancy)
    if new.sdf_field is not None:
        cell = 2 / occupancy.resolution
        if old.has_sdf:
            yield from subtask(
                fit_sdf(new.sdf_field, old.shape.implicit_value, near, cell), 0.0, 0.5
            )
        else:
            fusing = fused_distances(old, occupancy, scene, trainer.store.intrinsics)
            distances, close = yield from subtask(fusing, 0.0, 0.25)
            fitting = fit_sdf(
                new.sdf_field, lambda x: interpolate(distances, x), close, 2 / len(distances)
            )
            yield from subtask(fitting, 0.25, 0.5)
        new.use_sdf()
    camera_centers = np.stack([scene.scene_from_camera(photo)[:3, 3] for photo in scene.photos])
    fitting = _fit_radiance(
        new,
        old,
        lambda: fit_points(FIT_POINTS, near, 2 / occupancy.resolution, trainer.device),
        torch.from_numpy(camera_centers).float().to(trainer.device),
    )
    yield from subtask(fitting, 0.5, 1.0)
    trainer.enter_schedule(at)


def _copy_surroundings(new: SceneModel, old: SceneModel) -> None:
    """How photos differ and what lies behind the scene, where both runs have the same of it."""
    for ours, theirs in (
        (new.appearance, old.appearance),
        (new.background, old.background),
        (new.transient, old.transient),
        (new.proposal, old.proposal),
    ):
        if (
            ours is not None
            and theirs is not None
            and _parameter_shapes(ours) == _parameter_shapes(theirs)
        ):
            ours.load_state_dict(theirs.state_dict())


def _parameter_shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in module.state_dict().items()}


def _visible_cells(old: SceneModel, occupancy: OccupancyGrid) -> Tensor:
    """[N, 3] indices of the cells in which there is something to see."""
    if old.has_sdf:
        cell = 2 / occupancy.resolution
        return (occupancy.distances.abs() < 2 * cell).nonzero().float()
    return occupancy.occupied.nonzero().float()


def _fit_radiance(
    new: SceneModel, old: SceneModel, draw: Callable[[], Tensor], camera_centers: Tensor
) -> Task[None]:
    """Fit colours, seen from ``camera_centers`` [E, 3], and density to those of ``old``.

    The density only if it is what ``new`` renders.
    """
    of_sdf = {id(p) for p in new.sdf_field.parameters()} if new.sdf_field is not None else set()
    others = (new.radiance, new.color)
    parameters = [p for m in others if m is not None for p in m.parameters() if id(p) not in of_sdf]
    optimizer = torch.optim.Adam(parameters, FIT_RATE, betas=(0.9, 0.99), eps=1e-15)

    def gradients(asked: tuple[Tensor, Tensor]) -> tuple[Tensor | None, ...]:
        x, directions = asked
        with torch.no_grad():
            level, color = _value_and_color(old, x, directions)
        ours, our_color = _value_and_color(new, x, directions)
        loss = F.l1_loss(our_color, color)
        if not new.has_sdf:
            target = (LOGIT_PER_DISTANCE * level).clamp(MIN_LOGIT, 1.0) if old.has_sdf else level
            loss = loss + F.l1_loss(ours, target)
        if new.proposal is not None and old.proposal is not None:
            loss = loss + _difference_far_away(new, old, x, directions)
        return torch.autograd.grad(loss, parameters, allow_unused=True)

    n_workers = num_workers(camera_centers.device)
    for step in range(FIT_STEPS):
        x = draw()
        center = camera_centers[torch.randint(len(camera_centers), (len(x),), device=x.device)]
        directions = F.normalize(x - center, dim=-1)
        parts = parallel_map(gradients, list(zip(x.chunk(n_workers), directions.chunk(n_workers))))
        for parameter, *found in zip(parameters, *parts):
            some = [g for g in found if g is not None]
            parameter.grad = torch.stack(some).mean(0) if some else None
        for group in optimizer.param_groups:
            group["lr"] = FIT_RATE * (1.02 - step / FIT_STEPS)
        optimizer.step()
        yield Progress(step / FIT_STEPS)


def _difference_far_away(
    new: SceneModel, old: SceneModel, points: Tensor, directions: Tensor
) -> Tensor:
    """Of two fields of all of space, at the mirror images of ``points`` [N, 3] of the ball, as far
    beyond its surface in contracted space as these are within."""
    r = points.norm(dim=-1, keepdim=True).clamp(1 / FAR, 1)
    far = F.normalize(points, dim=-1) / r

    def logit_and_color(model: SceneModel) -> Tensor:
        assert model.radiance is not None
        level, features = model.radiance.value_and_features(far)
        appearance = model.appearance(None, len(far))
        color = model.color(contract(far), None, directions, features, appearance)
        return torch.cat([level[:, None], color], -1)

    with torch.no_grad():
        target = logit_and_color(old)
    return 4 * F.l1_loss(logit_and_color(new), target)


def _value_and_color(model: SceneModel, x: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Of points [N, 3] seen along ``directions`` [N, 3], of no photo in particular."""
    normals = None
    if model.has_sdf:
        with torch.no_grad():
            normals = F.normalize(model.shape.samples(x, analytic=True).gradients, dim=-1)
    level, own = model.shape.value_and_features(x)
    features = model.features(x, own)
    appearance = model.appearance(None, len(x))
    return level, model.color(x, normals, directions, features, appearance)
