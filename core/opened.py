"""What the window is told about a scene that was opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from core.capture.scene import Scene
from core.config import RunConfig
from core.messages import Opened
from core.presets import DESCRIPTIONS, PRESETS, default_preset


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
        preset=config.preset, presets=DESCRIPTIONS, minutes=config.train.minutes,
        notices=scene.notices,
    )
