"""What is learnt at each stage of a run, and how fast."""

from __future__ import annotations

import torch

from core.config.run import RunConfig
from core.field.model import SceneModel


def make_optimizer(model: SceneModel, config: RunConfig) -> torch.optim.AdamW:
    """AdamW: weight decay on the networks alone, rates of their own for the sharpness and for an
    SDF that was made of a density, before which it is not learnt."""
    train = config.train
    rate = train.learning_rate if model.has_sdf else train.density_learning_rate
    groups = []
    for name, parameter in model.named_parameters():
        of_sdf = name.startswith("sdf_field.")
        if parameter is model.log_inv_s or (of_sdf and not model.has_sdf):
            continue
        groups.append(
            {
                "params": [parameter],
                "weight_decay": 0.0 if name.endswith("grid.table") else train.weight_decay,
                "base": rate,
                "is_converted_sdf": of_sdf and model.radiance is not None,
            }
        )
    if train.sharpness == "learnt":
        groups.append(
            {
                "params": [model.log_inv_s],
                "weight_decay": 0.0,
                "base": train.sharpness_learning_rate,
                "is_converted_sdf": False,
            }
        )
    return torch.optim.AdamW(groups, betas=(0.9, 0.99), eps=1e-15, fused=True)
