"""Which run a person gets: the preset they chose, as far as this machine's memory allows."""

from __future__ import annotations

import torch

from core.capture.scene import Scene
from core.config import MethodName, RunConfig
from core.errors import UserError
from core.field.methods import METHODS
from core.geometry.cameras import Intrinsics
from core.messages import MethodWords, Start
from core.presets import DESCRIPTIONS, PRESETS, default_preset, for_scene, run_config, with_budget
from core.training.forecast import budget, forecast, size, within


def plan(
    command: Start, scene: Scene, device: torch.device, *, device_name: str, seed: int
) -> tuple[RunConfig, str | None]:
    """The run, and a word to the person where it had to be made smaller. Raises UserError."""
    wanted = command.config or _of_preset(command, scene, device, device_name, seed)
    if command.config is not None:
        wanted = with_budget(wanted, command.minutes, command.steps)
    config, lowered = within(
        wanted, _lenses(scene), not scene.has_masks, device, budget(device)
    )
    if not lowered:
        return config, None
    return config, f"Little memory is free: training with {', '.join(lowered)}."


def _of_preset(
    command: Start, scene: Scene, device: torch.device, device_name: str, seed: int
) -> RunConfig:
    preset = command.preset or default_preset(device.type)
    if preset not in PRESETS:
        raise UserError(f"There is no preset {preset}", f"Choose one of {', '.join(PRESETS)}")
    wanted = run_config(
        preset, method=command.method or "surface", minutes=command.minutes, steps=command.steps,
        seed=seed, device=device_name,
    )
    return for_scene(wanted, scene.has_masks, scene.setting)


def method_words(scene: Scene, device: torch.device) -> dict[str, MethodWords]:
    """What each method is good for and each preset is for, and the memory it takes for ``scene``
    by that method."""

    def needs(method: MethodName, preset: str) -> str:
        config = for_scene(run_config(preset, method=method), scene.has_masks, scene.setting)
        return size(forecast(config, _lenses(scene), not scene.has_masks, device).device)

    return {
        name: MethodWords(method.words, {
            preset: f"{words}. Takes about {needs(name, preset)} of memory"
            for preset, words in DESCRIPTIONS.items()
        })
        for name, method in METHODS.items()
    }


def _lenses(scene: Scene) -> list[Intrinsics]:
    return [photo.intrinsics for photo in scene.photos]
