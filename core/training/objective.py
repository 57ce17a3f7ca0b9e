"""What a batch of rays is held to."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.config import TrainConfig
from core.field.model import SurfaceModel
from core.field.veil import LEAST_SPREAD, Veiled
from core.rendering.render import Rays, Rendered
from core.training import losses, schedule


@dataclass(frozen=True)
class Batch:
    """One lane's share: rays [R], target colours [R, 3], opacity [R], jitter [R], the random
    colour behind [R, 3] where there are masks, points for the eikonal term [N, 3], points known to
    be on the surface [P, 3]."""

    rays: Rays
    target: Tensor
    opacity: Tensor
    jitter: Tensor
    behind: Tensor | None
    around: Tensor
    points: Tensor | None


def weighted_losses(
    model: SurfaceModel, train: TrainConfig, batch: Batch, rendered: Rendered,
    veiled: Veiled | None, progress: float,
) -> dict[str, Tensor]:
    """Weighted terms by name, each a scalar."""
    terms = of_color(train, batch, rendered.color, veiled)
    more = _of_density if rendered.gradients is None else _of_surface
    return terms | more(model, train, batch, rendered, progress)


def of_color(
    train: TrainConfig, batch: Batch, color: Tensor, veiled: Veiled | None
) -> dict[str, Tensor]:
    """Through the veil, where photos have one."""
    if veiled is None:
        color = losses.color_loss(color, batch.target, train.color_loss)
        return {"color": train.lambda_color * color}
    color = losses.uncertain_color_loss(veiled.color, batch.target, veiled.spread, LEAST_SPREAD)
    return {
        "color": train.lambda_color * color, "veil": train.lambda_veil * veiled.opacity.mean()
    }


def _of_density(
    model: SurfaceModel, train: TrainConfig, batch: Batch, rendered: Rendered, progress: float
) -> dict[str, Tensor]:
    """A density has no distances to keep in order."""
    terms = {}
    if train.lambda_sparsity > 0 and rendered.levels is not None:
        terms["sparsity"] = train.lambda_sparsity * losses.sparsity_loss(rendered.levels)
    if batch.points is not None:
        passed = losses.passed_at_points(model.shape.sdf(batch.points))
        terms["points"] = train.lambda_seen_points * passed
    return terms


def _of_surface(
    model: SurfaceModel, train: TrainConfig, batch: Batch, rendered: Rendered, progress: float
) -> dict[str, Tensor]:
    field, gradients, laplacian = model.surface, rendered.gradients, rendered.laplacian
    assert gradients is not None
    terms = {"eikonal": train.lambda_eikonal * losses.eikonal_loss(gradients)}
    weight = schedule.curvature_weight(train, progress, field.eps_ratio)
    if laplacian is not None and len(laplacian) and weight > 0:
        terms["curvature"] = weight * losses.curvature_loss(laplacian)
    if batch.behind is not None and train.lambda_mask > 0:
        terms["mask"] = train.lambda_mask * losses.mask_loss(rendered.opacity, batch.opacity)
    if batch.points is not None:
        weight = schedule.points_weight(train, progress)
        terms["points"] = weight * losses.points_loss(field.sdf(batch.points))
    return terms
