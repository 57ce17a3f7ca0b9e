"""The loss of a batch of rays: terms of `core.training.losses`, weighted and summed."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.config.run import TrainConfig
from core.field.model import SceneModel
from core.field.transient import MIN_UNCERTAINTY, TransientRender
from core.rendering.rays import Rays
from core.rendering.render import Rendered
from core.training import losses, schedule

N_REGULARIZER_POINTS = 512
"""Points all over the ball that a step asks for besides."""


@dataclass(frozen=True)
class Pixels:
    """What rays are to show: ``color`` [R, 3], ``opacity`` [R]."""

    color: Tensor
    opacity: Tensor


@dataclass(frozen=True)
class PrecomputedImageGradient:
    """A loss of whole pictures that is taken already: by how much it grows with the ``color``
    [R, 3] and the ``opacity`` [R] of each ray, times the number of all rays. Its way back through
    the field can so be gone ray by ray (Zhang et al. 2022, ARF)."""

    color: Tensor
    opacity: Tensor

    def on(self, rendered: Rendered) -> Tensor:
        """A scalar with the gradients of that loss."""
        by_color = (self.color * rendered.color).sum(-1)
        return (by_color + self.opacity * rendered.opacity).mean()


@dataclass(frozen=True)
class Batch:
    """One lane's share: rays [R] and what they are held to, jitter [R], the random colour behind
    [R, 3] where there are masks, points for the eikonal term [N, 3], points known to be on the
    surface [P, 3]."""

    rays: Rays
    target: Pixels | PrecomputedImageGradient
    jitter: Tensor
    background: Tensor | None
    regularizer_points: Tensor
    points: Tensor | None


def weighted_losses(
    model: SceneModel,
    train: TrainConfig,
    batch: Batch,
    rendered: Rendered,
    transient: TransientRender | None,
    progress: float,
) -> dict[str, Tensor]:
    """Weighted terms by name, each a scalar."""
    terms = image_losses(train, batch, rendered, transient)
    if rendered.unbounded is not None and rendered.histogram is not None:
        terms["proposal"] = losses.proposal_loss(
            rendered.unbounded.histogram, rendered.unbounded.proposed
        )
        terms["distortion"] = train.lambda_distortion * losses.distortion_loss(rendered.histogram)
    more = _density_losses if rendered.gradients is None else _sdf_losses
    return terms | more(model, train, batch, rendered, progress)


def image_losses(
    train: TrainConfig, batch: Batch, rendered: Rendered, transient: TransientRender | None
) -> dict[str, Tensor]:
    """Through the veil, where photos have one."""
    target = batch.target
    if isinstance(target, PrecomputedImageGradient):
        return {"color": target.on(rendered)}
    if transient is None:
        color = losses.color_loss(rendered.color, target.color, train.color_loss)
        return {"color": train.lambda_color * color}
    color = losses.uncertain_color_loss(
        transient.color, target.color, transient.uncertainty, MIN_UNCERTAINTY
    )
    return {
        "color": train.lambda_color * color,
        "transient": train.lambda_transient * transient.opacity.mean(),
    }


def _density_losses(
    model: SceneModel, train: TrainConfig, batch: Batch, rendered: Rendered, progress: float
) -> dict[str, Tensor]:
    """A density has no distances to keep in order."""
    terms = {}
    if train.lambda_sparsity > 0 and rendered.density_logit is not None:
        terms["sparsity"] = train.lambda_sparsity * losses.sparsity_loss(rendered.density_logit)
    if batch.points is not None:
        passed = losses.point_transmittance_loss(model.shape.implicit_value(batch.points))
        terms["points"] = train.lambda_seen_points * passed
    return terms


def _sdf_losses(
    model: SceneModel, train: TrainConfig, batch: Batch, rendered: Rendered, progress: float
) -> dict[str, Tensor]:
    field, gradients, laplacian = model.surface, rendered.gradients, rendered.laplacian
    assert gradients is not None
    terms = {"eikonal": train.lambda_eikonal * losses.eikonal_loss(gradients)}
    weight = schedule.curvature_weight(train, progress, field.eps_ratio)
    if laplacian is not None and len(laplacian) and weight > 0:
        terms["curvature"] = weight * losses.curvature_loss(laplacian)
    target = batch.target
    if isinstance(target, Pixels) and batch.background is not None and train.lambda_mask > 0:
        terms["mask"] = train.lambda_mask * losses.mask_loss(rendered.opacity, target.opacity)
    if batch.points is not None:
        weight = schedule.points_weight(train, progress)
        terms["points"] = weight * losses.points_loss(field.implicit_value(batch.points))
    return terms
