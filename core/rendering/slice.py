"""A cut through the field: the signed distance on a plane, with its contours.

Inside is orange and outside blue, both darker away from the surface, whose own line is the
strongest; contours stand every `Plane.spacing`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from core.base.colormaps import INSIDE_COLOR, OUTSIDE_COLOR, ZERO_LEVEL_COLOR
from core.base.jobs import Progress, Task
from core.base.parallel import num_workers, parallel_map
from core.field.model import SceneModel
from core.geometry.view import View
from core.rendering.preview import BAND_RAYS, TracedField, backdrop, view_rays

LINE, ZERO_LINE = 1.0, 3.0
"""Widths in pixels."""
DARK, DARKEST = 0.55, 0.3
"""A contour's brightness, and that far from the surface, as shares of the fill's near it."""
FADE_CONTOURS = 6.0
"""In so many contours' distance most of the way to that."""


def render_slice(
    model: SceneModel, surface: TracedField, view: View, width: int, height: int
) -> Task[np.ndarray]:
    """As `render_preview`; only of what lies in the region."""
    origins, directions = view_rays(view, width, height, model.device)
    t, shown = _intersect_plane(origins, directions, surface, view)
    where = origins[shown] + directions[shown] * t[shown, None]
    n_workers = num_workers(model.device)
    parts = where.chunk(n_workers * max(1, math.ceil(len(where) / (n_workers * BAND_RAYS))))

    @torch.no_grad()
    def evaluate(points: Tensor) -> Tensor:
        return model.shape.implicit_value(points, view.levels) / surface.steepness

    values: list[Tensor] = []
    for i in range(0, len(parts), n_workers):
        values += parallel_map(evaluate, parts[i : i + n_workers])
        yield Progress(min((i + n_workers) / len(parts), 1.0))
    distances = torch.full((width * height,), math.nan, device=model.device)
    distances[shown] = torch.cat(values)
    picture = backdrop(width, height, torch.device("cpu"), view.backdrop)
    picture = picture.view(height, width, 3).numpy()
    grid = distances.view(height, width).cpu().numpy()
    known = np.isfinite(grid)
    picture[known] = draw_contours(grid, view.plane.spacing)[known]
    return (picture.clip(0, 1) * 255).round().astype(np.uint8)


def _intersect_plane(
    origins: Tensor, directions: Tensor, surface: TracedField, view: View
) -> tuple[Tensor, Tensor]:
    """Distance t [R] to the view's plane, and for which rays [R] it is met in the region."""
    normal = torch.tensor(view.plane.normal, dtype=torch.float32, device=origins.device)
    t = (view.plane.offset - origins @ normal) / (directions @ normal)
    near, far = surface.occupancy.span(origins, directions)
    return t, (t >= near) & (t <= far)


def draw_contours(distances: np.ndarray, spacing: float) -> np.ndarray:
    """sRGB [H, W, 3] of signed ``distances`` [H, W], NaN where nobody knows."""
    wide = [axis for axis, n in enumerate(distances.shape) if n > 1]
    slopes = [np.gradient(distances, axis=axis) for axis in wide]
    per_pixel = np.maximum(np.nan_to_num(np.linalg.norm(slopes, axis=0)), 1e-9)
    away = np.abs(distances)
    fade = DARKEST + (1 - DARKEST) * np.exp(-away / (FADE_CONTOURS * spacing))
    color = np.where(distances[..., None] < 0, INSIDE_COLOR, OUTSIDE_COLOR) * fade[..., None]
    off = np.abs(distances - spacing * np.round(distances / spacing)) / per_pixel
    color *= (1 - (1 - DARK) * _line_coverage(off, LINE))[..., None]
    zero = _line_coverage(away / per_pixel, ZERO_LINE)[..., None]
    return color + zero * (np.array(ZERO_LEVEL_COLOR) - color)


def _line_coverage(off: np.ndarray, width: float) -> np.ndarray:
    """How much of a pixel ``off`` so many pixels from a line's middle it covers."""
    return (width / 2 + 0.5 - off).clip(0, 1)
