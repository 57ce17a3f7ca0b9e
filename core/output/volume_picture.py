"""Images of any volume given by a Python function."""
# torch is only partly typed
# pyright: reportUnknownArgumentType=false

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
"""rendered at once"""


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
    """Render a volume in the unit ball.

    Args:
        function: positions [N, 3] to densities [N] per unit, up to `MAX_DENSITY`, and sRGB [N, 3].
        width: of the image, pixels.
        height: of the image, pixels.
        azimuth: of the camera, which looks at the origin, radians.
        elevation: of the camera above the horizon, +Z up, radians.
        distance: of the camera from the origin.
        step: between samples along a ray.

    Returns:
        The image, uint8 [H, W, 3], and the depth along each ray at which half of the light is
        absorbed, float32 [H, W], infinite where it never is.
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
    occupancy = OccupancyGrid(8, model.device)
    view = view_at(0, looking_at_center(azimuth, elevation, distance), width, height)
    rays = Rays(*view_rays(view, width, height, model.device))
    background = backdrop(width, height, model.device)
    rendered = [
        render_rays(
            model,
            occupancy,
            rays[i : i + RAYS_PER_CHUNK],
            train,
            background=background[i : i + RAYS_PER_CHUNK],
        )
        for i in range(0, len(rays), RAYS_PER_CHUNK)
    ]
    color = torch.cat([r.color for r in rendered]).clamp(0, 1)
    opacity = torch.cat([r.opacity for r in rendered])
    far = torch.cat([r.depth for r in rendered]) / opacity.clamp(min=1e-6)
    image = (color * 255).round().byte().view(height, width, 3)
    depth = far.where(opacity > 0.5, torch.inf).view(height, width)
    return image.numpy(), depth.numpy()
