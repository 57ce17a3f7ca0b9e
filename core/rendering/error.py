"""How far the rendering is from a photo, pixel by pixel, as heat over the grey photo."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from core.base.colormaps import MAX_ERROR, error_colors
from core.base.jobs import Progress, Task
from core.base.parallel import num_workers, parallel_map
from core.config.run import TrainConfig
from core.field.model import SceneModel
from core.geometry.view import View
from core.rendering.occupancy import OccupancyGrid
from core.rendering.preview import BAND_RAYS, backdrop, view_rays
from core.rendering.rays import Rays
from core.rendering.render import render_rays

PHOTO_BRIGHTNESS = 0.35
"""How bright the photo stays under the heat."""


def color_error(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """[H, W] mean absolute difference of the channels of two sRGB pictures [H, W, 3] in [0, 1]."""
    return np.abs(image - truth).mean(-1)


def error_picture(error: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """sRGB [H, W, 3]: heat where ``error`` [H, W] is high, the grey ``truth`` [H, W, 3] elsewhere;
    the scale is `core.base.colormaps.error_colors`."""
    grey = PHOTO_BRIGHTNESS * truth.mean(-1, keepdims=True)
    share = (error / MAX_ERROR).clip(0, 1)[..., None]
    return error_colors(error) * share + grey * (1 - share)


def render_error(
    model: SceneModel,
    occupancy: OccupancyGrid,
    train: TrainConfig,
    view: View,
    truth: np.ndarray,
    known: np.ndarray,
    photo: int | None,
    background: tuple[float, float, float],
) -> Task[np.ndarray]:
    """As `render_preview`, as large as ``truth`` [H, W, 3], the photo as this view sees
    it where ``known`` [H, W]. It is compared with what training compares it with: the volume
    rendering before the model's background, or where it has none the colour ``background``, in the
    light of photo number ``photo`` (None: of none)."""
    height, width = known.shape
    origins, directions = view_rays(view, width, height, model.device)
    wanted = torch.from_numpy(known.reshape(-1)).to(model.device).nonzero()[:, 0]
    n_workers = num_workers(model.device)
    parts = wanted.chunk(n_workers * max(1, math.ceil(len(wanted) / (n_workers * BAND_RAYS))))
    solid_background = (
        None if model.renders_background else torch.tensor(background, device=model.device)
    )

    @torch.no_grad()
    def render_part(part: Tensor) -> Tensor:
        which = None if photo is None else torch.full_like(part, photo)
        rays = Rays(origins[part], directions[part], which)
        return render_rays(model, occupancy, rays, train, background=solid_background).color

    colors: list[Tensor] = []
    for i in range(0, len(parts), n_workers):
        colors += parallel_map(render_part, parts[i : i + n_workers])
        yield Progress(min((i + n_workers) / len(parts), 1.0))
    picture = backdrop(width, height, torch.device("cpu"), view.backdrop)
    picture = picture.view(height, width, 3).numpy()
    rendered = torch.cat(colors).clamp(0, 1).cpu().numpy()[:, None]
    right = truth[known][:, None]
    picture[known] = error_picture(color_error(rendered, right), right)[:, 0]
    return (picture.clip(0, 1) * 255).round().astype(np.uint8)
