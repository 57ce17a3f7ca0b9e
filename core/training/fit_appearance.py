"""How a photo that was not trained on looks: the appearance that explains part of it.

Martin-Brualla et al. 2021 (NeRF in the Wild), section 5: the embedding of a held-out photo is
fitted on its left half, and its right half is what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from core.rendering.rays import Rays
from core.rendering.render import render_rays
from core.training.losses import color_loss
from core.training.trainer import Trainer

FIT_STEPS, RAYS_PER_STEP, LEARNING_RATE = 60, 512, 0.1


@contextmanager
def appearance_override(trainer: Trainer, vector: Tensor | None) -> Iterator[None]:
    """For the time being views of no photo look as ``vector`` [A] says, None: as the mean does."""
    appearance = trainer.model.appearance
    appearance.override = vector
    try:
        yield
    finally:
        appearance.override = None


def fit_appearance(trainer: Trainer, rays: Rays, colors: Tensor, behind: Tensor | None) -> Tensor:
    """The vector [A] with which ``rays`` [R] show ``colors``
    [R, 3] best; the trained model stays as it is. There must be embeddings."""
    model = trainer.model
    assert model.appearance.vectors is not None
    vector = model.appearance.vectors.detach().mean(0).clone().requires_grad_()
    optimizer = torch.optim.Adam([vector], LEARNING_RATE)
    random = torch.Generator().manual_seed(0)
    for _ in range(FIT_STEPS):
        some = torch.randint(len(rays), (min(RAYS_PER_STEP, len(rays)),), generator=random)
        with appearance_override(trainer, vector):
            rendered = render_rays(
                model,
                trainer.occupancy,
                rays[some].to(trainer.device),
                trainer.config.train,
                background=behind,
            )
        target = colors[some].to(trainer.device)
        loss = color_loss(rendered.color, target, "l2")
        (vector.grad,) = torch.autograd.grad(loss, [vector])
        optimizer.step()
    return vector.detach()
