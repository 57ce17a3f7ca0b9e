"""The tensors of a run that a project saves: model, optimiser, occupancy and random state."""
# torch is only partly typed
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import torch
from torch import Tensor

from core.training.trainer import Trainer


def load_trainer_tensors(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    """Load ``tensors``, whose names are those of `trainer_tensors`."""
    trainer.model.load_state(_with_prefix(tensors, "model."))
    trainer.renew_optimizer()
    state = trainer.optimizer.state_dict()
    for i in range(len(_parameters(trainer))):
        values = _with_prefix(tensors, f"optimizer.{i}.")
        if values:
            state["state"][i] = {name: value.clone() for name, value in values.items()}
    trainer.optimizer.load_state_dict(state)
    trainer.occupancy.load_state_dict(_with_prefix(tensors, "occupancy."))
    trainer.supervision.restore(tensors)
    step, elapsed, n_rays, *segment, budget = tensors["counters"].tolist()
    trainer.step_count, trainer.elapsed, trainer.n_rays = int(step), elapsed, int(n_rays)
    trainer.segment, trainer.budget = (segment[0], segment[1]), budget
    torch.set_rng_state(tensors["random.torch"])


def trainer_tensors(trainer: Trainer) -> dict[str, Tensor]:
    """All tensors of a run, by name."""
    modules = {"model": trainer.model, "occupancy": trainer.occupancy}
    tensors = {
        f"{of}.{name}": value.cpu().contiguous()
        for of, module in modules.items()
        for name, value in module.state_dict().items()
    }
    for i, parameter in enumerate(_parameters(trainer)):
        for name, value in trainer.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{i}.{name}"] = value.cpu().contiguous()
    tensors |= trainer.supervision.state()
    tensors["counters"] = torch.tensor(
        [trainer.step_count, trainer.elapsed, trainer.n_rays, *trainer.segment, trainer.budget],
        dtype=torch.float64,
    )
    tensors["random.torch"] = torch.get_rng_state()
    return tensors


def _parameters(trainer: Trainer) -> list[Tensor]:
    """All parameters, in the order of the optimiser."""
    return [p for group in trainer.optimizer.param_groups for p in group["params"]]


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those of ``tensors`` whose names start with ``prefix``, named without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
