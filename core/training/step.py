"""One lane's part of a step: where its rays are asked, what they show, and what that teaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.config.run import TrainConfig
from core.field.model import SceneModel
from core.field.transient import TransientRender
from core.rendering.composite import RaySamples
from core.rendering.occupancy import OccupancyGrid
from core.rendering.render import Rendered, render_samples, sample_rays
from core.rendering.surface_trace import SurfaceHits, intersect_surface, render_surface
from core.training import schedule
from core.training.targets import Batch, image_losses, weighted_losses


@dataclass(frozen=True)
class ShardResult:
    """The ``gradients`` of a lane's loss in each parameter, its terms, the ``color`` [R, 3] that
    its rays showed, and counts of samples before (marched) and after culling, and of those beyond
    the region."""

    gradients: tuple[Tensor | None, ...]
    losses: dict[str, float]
    color: Tensor
    n_marched: int
    n_kept: int
    n_unbounded: int


@dataclass(frozen=True)
class StepStats:
    """One step's figures: weighted loss terms, mean squared colour error (of rays drawn fairly;
    NaN where there are no photos), counts of rays and of samples before (marched) and after (kept)
    culling, and of those beyond the region."""

    losses: dict[str, float]
    mse: float
    n_rays: int
    n_marched: int
    n_kept: int
    n_unbounded: int = 0


def sample_rays_of_shard(
    model: SceneModel,
    occupancy: OccupancyGrid,
    batch: Batch,
    train: TrainConfig,
    progress: float,
) -> RaySamples:
    """Where the rays of ``batch`` are to be asked."""
    if model.has_sdf and progress >= train.traced_from:
        return intersect_surface(model, occupancy, batch.rays)
    return sample_rays(
        model,
        occupancy,
        batch.rays,
        train,
        jitter=batch.jitter,
        cos_anneal_ratio=schedule.cos_anneal_ratio(train, progress),
    )


def loss_and_grads(
    model: SceneModel,
    batch: Batch,
    ray_samples: RaySamples,
    train: TrainConfig,
    progress: float,
    parameters: Sequence[Tensor],
    fraction: float,
) -> ShardResult:
    """Render ``batch``, ``fraction`` of the step's rays, and take the gradients of its loss."""
    rendered = render_shard(model, batch, ray_samples, train, progress)
    transient = _with_transient(model, batch, rendered.color)
    shown = rendered.color if transient is None else transient.color
    terms = weighted_losses(model, train, batch, rendered, transient, progress)
    if ray_samples.coarse is not None:  # which learns where to ask from the same photos
        coarse = render_samples(
            model,
            batch.rays,
            replace(ray_samples, samples=ray_samples.coarse),
            train,
            background=batch.background,
            jitter=batch.jitter,
            lod=1,
        )
        coarse_transient = _with_transient(model, batch, coarse.color)
        terms["coarse"] = image_losses(train, batch, coarse, coarse_transient)["color"]
    loss = torch.stack(list(terms.values())).sum() * fraction
    return ShardResult(
        torch.autograd.grad(loss, parameters, allow_unused=True),
        {name: float(term.detach()) for name, term in terms.items()},
        shown.detach(),
        rendered.n_marched,
        rendered.n_kept,
        rendered.n_unbounded,
    )


def render_shard(
    model: SceneModel, batch: Batch, ray_samples: RaySamples, train: TrainConfig, progress: float
) -> Rendered:
    """What the rays of ``batch`` show at this ``progress``."""
    if isinstance(ray_samples, SurfaceHits):
        return render_surface(
            model,
            batch.rays,
            ray_samples,
            train,
            background=batch.background,
            jitter=batch.jitter,
            regularizer_points=batch.regularizer_points,
        )
    return render_samples(
        model,
        batch.rays,
        ray_samples,
        train,
        background=batch.background,
        jitter=batch.jitter,
        regularizer_points=batch.regularizer_points,
        cos_anneal_ratio=schedule.cos_anneal_ratio(train, progress),
    )


def _with_transient(model: SceneModel, batch: Batch, color: Tensor) -> TransientRender | None:
    """What the photos of ``batch`` make of ``color``; None where none is veiled."""
    if model.transient is None or batch.rays.photo is None:
        return None
    assert batch.rays.pixel_ndc is not None
    return model.transient(batch.rays.photo, batch.rays.pixel_ndc, color)


def sum_grads(gradients: list[Tensor]) -> Tensor | None:
    """The sum, in place of the first; None where no lane had any."""
    if not gradients:
        return None
    for gradient in gradients[1:]:
        gradients[0].add_(gradient)
    return gradients[0]


def merge_stats(shards: Sequence[ShardResult], mse: float) -> StepStats:
    """The batch's figures from its lanes', and its ``mse`` as in `StepStats`."""
    names = {name for shard in shards for name in shard.losses}  # a lane may lack samples for one
    return StepStats(
        {
            name: sum(shard.losses.get(name, 0.0) for shard in shards) / len(shards)
            for name in names
        },
        mse,
        sum(len(shard.color) for shard in shards),
        sum(shard.n_marched for shard in shards),
        sum(shard.n_kept for shard in shards),
        sum(shard.n_unbounded for shard in shards),
    )
