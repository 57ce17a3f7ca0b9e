"""Pictures of any volume that a function of Python describes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from core.base.text import NO_TEXT
from core.config.run import RunConfig, TrainConfig
from core.field.analytic import FeaturesAsColor, FunctionVolume
from core.field.methods import Method
from core.field.model import SceneModel
from core.geometry.camera_path import looking_at_center
from core.output.views import view_at
from core.rendering.occupancy import OccupancyGrid
from core.rendering.preview import backdrop, view_rays
from core.rendering.rays import Rays
from core.rendering.render import render_rays

RAYS_PER_CHUNK = 4096


@torch.no_grad()
def render_volume(
    function: Callable[[Tensor], tuple[Tensor, Tensor]],
    width: int = 480,
    height: int = 360,
    *,
    azimuth: float = 0.6,
    elevation: float = 0.35,
    distance: float = 3.0,
    step: float = TrainConfig.density_step,
) -> tuple[np.ndarray, np.ndarray]:
    """What a camera sees of a volume in the unit ball, uint8 [H, W, 3], and how far along each ray
    half of the light is stopped, float32 [H, W], infinite where it never is.

    ``function``: positions [N, 3] → densities [N] per unit, up to `DENSITY_MOST`, and sRGB [N, 3].
    The camera looks at the origin, +Z up, angles in radians; it asks every ``step`` units.
    """
    method = Method(
        NO_TEXT,
        run=lambda config: config,
        density=lambda _: FunctionVolume(function),
        size=lambda _: NO_TEXT,
        smaller=lambda _: None,
        color=lambda _: FeaturesAsColor(),
    )
    train = TrainConfig(density_until=1.0, density_cull_weight=0.0, density_step=step)
    model = SceneModel(RunConfig(train=train), 1, False, method)
    everywhere = OccupancyGrid(8, model.device)
    view = view_at(0, looking_at_center(azimuth, elevation, distance), width, height)
    rays = Rays(*view_rays(view, width, height, model.device))
    behind = backdrop(width, height, model.device)
    seen = [
        render_rays(
            model,
            everywhere,
            rays[i : i + RAYS_PER_CHUNK],
            train,
            behind=behind[i : i + RAYS_PER_CHUNK],
        )
        for i in range(0, len(rays), RAYS_PER_CHUNK)
    ]
    color = torch.cat([s.color for s in seen]).clamp(0, 1)
    opacity = torch.cat([s.opacity for s in seen])
    far = torch.cat([s.depth for s in seen]) / opacity.clamp(min=1e-6)
    image = (color * 255).round().byte().view(height, width, 3)
    depth = far.where(opacity > 0.5, torch.inf).view(height, width)
    return image.numpy(), depth.numpy()
