"""Which run a person gets: the preset they chose, as far as this machine's memory allows."""

from __future__ import annotations

import torch

from core.base.text import Text, join, text
from core.capture.scene import Scene
from core.config.run import MethodName, RunConfig, RunOptions
from core.geometry.cameras import Intrinsics
from core.training.memory_forecast import budget, fit_to_memory, forecast, format_bytes
from core.training.presets import DESCRIPTIONS, for_scene, run_config, with_budget


def plan(
    choice: RunOptions, settings: RunConfig | None, scene: Scene, device: torch.device, *, seed: int
) -> tuple[RunConfig, Text | None]:
    """The run of ``scene`` by what was chosen, or by all ``settings`` but the budget; and a word to
    the person where it had to be made smaller. Raises UserError."""
    if settings is not None:
        wanted = with_budget(settings, choice)
    else:
        wanted = _suited(run_config(choice, device.type, seed=seed), scene)
    config, lowered = fit_to_memory(
        wanted, _lenses(scene), not scene.has_masks, device, budget(device)
    )
    if not lowered:
        return config, None
    return config, text(
        "Little memory is free: training with {changes}.", changes=join(", ", lowered)
    )


def describe_presets(method: MethodName, scene: Scene, device: torch.device) -> dict[str, Text]:
    """By name what each preset is for, and the memory it takes for ``scene`` by this method."""

    def needs(preset: str) -> str:
        config = run_config(RunOptions(preset, method=method))
        config = _suited(config, scene)
        return format_bytes(forecast(config, _lenses(scene), not scene.has_masks, device).device)

    return {
        preset: text(
            "{description}. Takes about {memory} of memory",
            description=description,
            memory=needs(preset),
        )
        for preset, description in DESCRIPTIONS.items()
    }


def _suited(config: RunConfig, scene: Scene) -> RunConfig:
    return for_scene(config, scene.has_masks, scene.setting, scene.prompt is not None)


def _lenses(scene: Scene) -> list[Intrinsics]:
    return [photo.intrinsics for photo in scene.photos]
