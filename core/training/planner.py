"""Which run a person gets: the preset they chose, as far as this machine's memory allows."""

from __future__ import annotations

import torch

from core.capture.scene import Scene
from core.config.run import Choice, MethodName, RunConfig
from core.field.methods import METHODS
from core.geometry.cameras import Intrinsics
from core.protocol import MethodWords, Renew, Start
from core.training.memory_forecast import budget, forecast, size, within
from core.training.presets import DESCRIPTIONS, for_scene, run_config, with_budget


def plan(
    command: Start | Renew, scene: Scene, device: torch.device, *, seed: int
) -> tuple[RunConfig, str | None]:
    """The run, and a word to the person where it had to be made smaller. Raises UserError."""
    if command.config is not None:
        wanted = with_budget(command.config, command.choice)
    else:
        wanted = run_config(command.choice, device.type, seed=seed)
        wanted = _suited(wanted, scene)
    config, lowered = within(
        wanted, _lenses(scene), not scene.has_masks, device, budget(device)
    )
    if not lowered:
        return config, None
    return config, f"Little memory is free: training with {', '.join(lowered)}."


def method_words(scene: Scene, device: torch.device) -> dict[str, MethodWords]:
    """What each method is good for and each preset is for, and the memory it takes for ``scene``
    by that method."""

    def needs(method: MethodName, preset: str) -> str:
        config = run_config(Choice(preset, method=method))
        config = _suited(config, scene)
        return size(forecast(config, _lenses(scene), not scene.has_masks, device).device)

    return {
        name: MethodWords(method.words, {
            preset: f"{words}. Takes about {needs(name, preset)} of memory"
            for preset, words in DESCRIPTIONS.items()
        })
        for name, method in METHODS.items()
    }


def _suited(config: RunConfig, scene: Scene) -> RunConfig:
    return for_scene(config, scene.has_masks, scene.setting, scene.sentence is not None)


def _lenses(scene: Scene) -> list[Intrinsics]:
    return [photo.intrinsics for photo in scene.photos]
