"""What the window is told about a scene that was opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from core.capture.scene import Scene
from core.config import RunConfig
from core.messages import Opened
from core.presets import DESCRIPTIONS, PRESETS, default_preset, for_scene
from core.training.forecast import forecast, size


def describe(path: Path, scene: Scene, config: RunConfig | None, device: torch.device) -> Opened:
    """``config``: of the saved project, None for a capture, which gets the device's preset."""
    config = config or PRESETS[default_preset(device.type)]
    lens = scene.photos[0].intrinsics
    poses = [scene.scene_from_camera(p) for p in scene.photos]
    return Opened(
        path=str(path), kind=scene.kind, device=str(device), n_photos=len(scene.photos),
        n_held_out=len(scene.held_out), n_points=len(scene.points), has_masks=scene.has_masks,
        cameras=tuple(tuple(p.ravel().tolist()) for p in poses),
        fov_y=float(2 * np.arctan(lens.height / (2 * lens.fy))),
        aspect=lens.width / lens.height, up=(0.0, 0.0, 1.0), n_levels=config.field.n_levels,
        preset=config.preset, presets=_presets(scene, device), minutes=config.train.minutes,
        notices=scene.notices,
    )


def _presets(scene: Scene, device: torch.device) -> dict[str, str]:
    """Each preset's words and the memory it will take for ``scene``."""
    lenses = [photo.intrinsics for photo in scene.photos]

    def needs(name: str) -> str:
        config = for_scene(PRESETS[name], scene.has_masks)
        return size(forecast(config, lenses, not scene.has_masks, device).device)

    return {
        name: f"{words}. Takes about {needs(name)} of memory"
        for name, words in DESCRIPTIONS.items()
    }
