"""The live preview: the surface by sphere tracing, a band of pixels at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.field.model import SurfaceModel
from core.lanes import count, lane_map
from core.messages import SetView
from core.rendering.occupancy import OccupancyGrid
from core.rendering.sphere_trace import sphere_trace

BAND = 4096
"""Rays traced by one lane between two looks at newer cameras."""


def view_rays(
    view: SetView, width: int, height: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Origins and unit directions [H·W, 3], scene units, of a pinhole ``view`` at this size."""
    pose = torch.tensor(view.scene_from_camera, dtype=torch.float32, device=device).view(4, 4)
    tan = math.tan(view.fov_y / 2)
    y, x = torch.meshgrid(
        (torch.arange(height, device=device) + 0.5) / height * 2 - 1,
        (torch.arange(width, device=device) + 0.5) / width * 2 - 1, indexing="ij",
    )
    local = torch.stack([x * tan * width / height, y * tan, torch.ones_like(x)], -1).view(-1, 3)
    directions = F.normalize(local @ pose[:3, :3].T, dim=-1)
    return pose[:3, 3].expand_as(directions).contiguous(), directions


def render_preview(
    model: SurfaceModel, occupancy: OccupancyGrid, view: SetView, width: int, height: int
) -> Iterator[np.ndarray | None]:
    """Yields None after each band and at last the picture, uint8 [H, W, 3].

    A view of fewer levels than are active shows a surface that the occupancy grid has not seen,
    so there every cell counts as occupied.
    """
    field = model.shape
    if view.levels is not None and view.levels < field.active_levels:
        everywhere = OccupancyGrid(occupancy.resolution, model.device)
        occupancy = everywhere
    origins, directions = view_rays(view, width, height, model.device)
    picture = _backdrop(width, height, model.device)
    bands = torch.arange(width * height, device=model.device).split(BAND)
    lanes = count(model.device)
    for i in range(0, len(bands), lanes):
        part = bands[i : i + lanes]
        shaded = lane_map(
            lambda band: _shade(model, occupancy, origins[band], directions[band], view), part
        )
        for band, (hit, color) in zip(part, shaded):
            picture[band[hit]] = color
        yield None
    yield (picture.clamp(0, 1) * 255).round().byte().view(height, width, 3).cpu().numpy()


@torch.no_grad()
def _shade(
    model: SurfaceModel, occupancy: OccupancyGrid, origins: Tensor, directions: Tensor,
    view: SetView,
) -> tuple[Tensor, Tensor]:
    """Which rays hit [R], and the colours [H, 3] of those."""
    shape = model.shape
    t, hit = sphere_trace(lambda x: shape.sdf(x, view.levels), origins, directions, occupancy)
    if not hit.any():
        return hit, origins[hit]
    positions = origins[hit] + directions[hit] * t[hit, None]
    if view.mode == "depth":
        far = float(origins[0].norm()) + 1
        return hit, ((far - t[hit]) / 2).clamp(0.05, 1)[:, None].expand(-1, 3)
    samples = shape.samples(positions, view.levels)
    normals = F.normalize(samples.gradients, dim=-1)
    if view.mode == "normals":
        return hit, 0.5 + 0.5 * normals
    features = model.features(positions, samples, view.levels)
    appearance = model.appearance(None, len(positions))
    return hit, model.color(positions, normals, directions[hit], features, appearance)


def _backdrop(width: int, height: int, device: torch.device) -> Tensor:
    """[H·W, 3] a dark gradient, lighter at the top, against which any surface stands out."""
    shade = torch.linspace(0.17, 0.09, height, device=device)[:, None, None]
    tint = torch.tensor([1.0, 1.03, 1.1], device=device)
    return (shade * tint).expand(height, width, 3).reshape(-1, 3).clone()
