"""The live preview: the surface by sphere tracing, a band of pixels at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.base.colormaps import BACKDROP, DEPTH_RANGE, Gradient, depth_colors
from core.base.jobs import Progress, Task
from core.base.parallel import num_workers, parallel_map
from core.config.run import TrainConfig
from core.field.model import SceneModel
from core.geometry.view import PreviewMode, View
from core.rendering.level_map import level_colored
from core.rendering.occupancy import OccupancyGrid
from core.rendering.rays import Rays
from core.rendering.render import render_rays
from core.rendering.shading import CLAY, OVER_THE_SHOULDER, lambert
from core.rendering.sphere_trace import sphere_trace
from core.rendering.unbounded import SampleCounts, render_unbounded

BAND_RAYS = 4096
"""Rays traced by one lane at most between two looks at newer cameras."""
PIXEL_TOLERANCE = 0.25
"""How far a point of the surface may be off, in pixels."""
PREVIEW_TRAIN_CONFIG = TrainConfig(density_cull_weight=0.02)
"""What adds less to a pixel is left out."""
PREVIEW_SAMPLE_COUNTS = SampleCounts(bins=16, pieces=8)
"""What lies behind the region, of a field of all of space."""


def view_rays(view: View, width: int, height: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Origins and unit directions [H·W, 3], scene units, of ``view`` at this size: through a
    pinhole, or parallel from the camera's plane."""
    pose = torch.tensor(view.scene_from_camera, dtype=torch.float32, device=device).view(4, 4)
    half = math.tan(view.fov_y / 2) if view.span is None else view.span / 2
    y, x = torch.meshgrid(
        (torch.arange(height, device=device) + 0.5) / height * 2 - 1,
        (torch.arange(width, device=device) + 0.5) / width * 2 - 1,
        indexing="ij",
    )
    local = torch.stack([x * half * width / height, y * half, torch.ones_like(x)], -1).view(-1, 3)
    if view.span is not None:
        across = local[:, :2] @ pose[:3, :2].T
        return pose[:3, 3] + across, pose[:3, 2].expand_as(across).contiguous()
    directions = F.normalize(local @ pose[:3, :3].T, dim=-1)
    return pose[:3, 3].expand_as(directions).contiguous(), directions


@dataclass(frozen=True)
class TracedField:
    """What a preview traces. ``steepness``: by how much the field grows per scene unit, which for
    a distance is 1, for the levels of a density it is whatever has been learnt. Not ``opaque``:
    a density is looked through as training does, since that shows what is there long before any
    of its level sets does."""

    occupancy: OccupancyGrid
    steepness: float = 1.0
    opaque: bool = True


def trace_field(
    model: SceneModel, occupancy: OccupancyGrid, lod: int | None, mode: PreviewMode
) -> TracedField:
    """By ``occupancy``, or if that has not measured the present surface at these ``lod``, or
    those are off by more than a cell, by a new one of the same region."""
    shape, cell = model.shape, 2 / occupancy.resolution
    limited = lod is not None and lod < shape.active_levels
    if (
        mode in ("color", "error")
        and not model.has_sdf
        and not (limited and model.is_density_stage)
    ):
        return TracedField(occupancy, opaque=False)
    if model.has_sdf and not limited and occupancy.error <= cell:
        return TracedField(occupancy)
    fresh = OccupancyGrid(occupancy.resolution, model.device)
    fresh.set_region(occupancy.region)
    fresh.update(lambda x: shape.implicit_value(x, lod), float(model.inv_s.detach()))
    fresh.error = min(occupancy.error, 0.5 * cell)  # until it is itself replaced
    if model.has_sdf:
        return TracedField(fresh)
    steepness = _steepness(fresh.distances, cell)
    fresh.distances.div_(steepness).clamp_(max=cell)
    fresh.error = cell  # levels between the middles of cells are no distances
    return TracedField(fresh, steepness)


def _steepness(values: Tensor, cell: float) -> float:
    """Of ``values`` [G, G, G] where they change sign, per scene unit; at least 1."""
    steps = []
    for axis in range(3):
        before, after = values.movedim(axis, 0)[:-1], values.movedim(axis, 0)[1:]
        steps.append((after - before)[(after < 0) != (before < 0)].abs())
    step = torch.cat(steps)
    return max(1.0, float(step.median()) / cell) if len(step) else 1.0


def render_preview(
    model: SceneModel,
    surface: TracedField,
    view: View,
    width: int,
    height: int,
    distances: np.ndarray | None = None,
) -> Task[np.ndarray]:
    """The picture, uint8 [H, W, 3], a band at a time; ``surface`` as from
    `trace_field` with the view's levels. Where something is seen, how far along its ray is written
    into ``distances`` float32 [H, W]."""
    origins, directions = view_rays(view, width, height, model.device)
    image = backdrop(width, height, model.device, view.backdrop)
    n_workers = num_workers(model.device)
    pixels = torch.arange(width * height, device=model.device)
    bands = pixels.chunk(n_workers * math.ceil(len(pixels) / (n_workers * BAND_RAYS)))
    tolerance = PIXEL_TOLERANCE * _vertical_angle(view) / height

    def trace_band(band: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        width = torch.full((len(band),), _vertical_angle(view) / height, device=model.device)
        rays = Rays(origins[band], directions[band], width=width)
        if not surface.opaque:
            return _render_density(model, surface, rays, image[band], view.levels)
        hit, color, t = _shade(model, surface, rays, view, tolerance)
        if model.proposal is None or view.mode != "color":
            return hit, color, t
        return _add_unbounded_background(model, surface, rays, hit, color, t)

    for i in range(0, len(bands), n_workers):
        part = bands[i : i + n_workers]
        for band, (hit, color, t) in zip(part, parallel_map(trace_band, part)):
            image[band[hit]] = color
            if distances is not None:
                distances.ravel()[band[hit].cpu().numpy()] = t.cpu().numpy()
        yield Progress(min((i + n_workers) / len(bands), 1.0))
    return (image.clamp(0, 1) * 255).round().byte().view(height, width, 3).cpu().numpy()


def _vertical_angle(view: View) -> float:
    """Of the whole height of the picture, as seen from where rays begin."""
    if view.span is None:
        return view.fov_y
    return view.span / max(math.dist(view.scene_from_camera[3:12:4], (0, 0, 0)), 1.0)


@torch.no_grad()
def _shade(
    model: SceneModel, surface: TracedField, rays: Rays, view: View, tolerance: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Which rays hit [R], and of those the colours [H, 3] and how far along them that is [H]."""
    shape, origins, directions = model.shape, rays.origins, rays.directions
    t, hit = sphere_trace(
        lambda x: shape.implicit_value(x, view.levels) / surface.steepness,
        origins,
        directions,
        surface.occupancy,
        tolerance,
    )
    if not hit.any():
        return hit, origins[hit], t[hit]
    positions = origins[hit] + directions[hit] * t[hit, None]
    if view.mode == "depth":
        near = float(origins[0].norm()) - DEPTH_RANGE
        share = (t[hit] - near).cpu().numpy() / (2 * DEPTH_RANGE)
        return hit, torch.from_numpy(depth_colors(share)).to(origins), t[hit]
    if view.mode == "level":
        return hit, level_colored(shape, positions, directions[hit], view.levels), t[hit]
    samples = shape.samples(positions, view.levels, analytic=view.moving)
    normals = F.normalize(samples.gradients, dim=-1)
    if view.mode == "normals":
        return hit, 0.5 + 0.5 * normals, t[hit]
    if view.mode == "clay":
        turn = np.reshape(view.scene_from_camera, (4, 4))[:3, :3]
        light = torch.from_numpy(turn @ OVER_THE_SHOULDER).to(normals)
        return hit, normals.new_tensor(CLAY) * lambert(normals, light), t[hit]
    features = model.features(positions, samples.features, view.levels)
    appearance = model.appearance(None, len(positions))
    color = model.color(positions, normals, directions[hit], features, appearance, view.levels)
    return hit, color, t[hit]


@torch.no_grad()
def _render_density(
    model: SceneModel, surface: TracedField, rays: Rays, behind: Tensor, lod: int | None
) -> tuple[Tensor, Tensor, Tensor]:
    """As `_shade`, of a density before colours ``behind`` [R, 3]; what lets most of the light
    through is nowhere."""
    background = None if model.proposal is not None else behind
    rendered = render_rays(
        model,
        surface.occupancy,
        rays,
        PREVIEW_TRAIN_CONFIG,
        background=background,
        lod=lod,
        sample_counts=PREVIEW_SAMPLE_COUNTS,
    )
    hit = rendered.opacity > (0 if background is not None else -1)
    opacity = rendered.opacity[hit]
    t = (rendered.depth[hit] / opacity).where(opacity > 0.5, torch.inf)
    return hit, rendered.color[hit], t


@torch.no_grad()
def _add_unbounded_background(
    model: SceneModel, surface: TracedField, rays: Rays, hit: Tensor, color: Tensor, t: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What `_shade` says, before what lies behind the region."""
    missed = rays[~hit]
    crossing = surface.occupancy.crossing(missed.origins, missed.directions)
    all_of_it = torch.ones(len(missed), device=hit.device)
    background = render_unbounded(
        model, missed, crossing, all_of_it, None, sample_counts=PREVIEW_SAMPLE_COUNTS
    ).color
    image, far = torch.empty_like(rays.origins), torch.full_like(all_of_it, torch.inf)
    image[hit], image[~hit] = color, background
    distance = torch.empty(len(hit), device=hit.device)
    distance[hit], distance[~hit] = t, far
    return torch.ones_like(hit), image, distance


def backdrop(width: int, height: int, device: torch.device, behind: Gradient = BACKDROP) -> Tensor:
    """[H·W, 3]: what is behind the scene."""
    upper, lower = torch.tensor(behind, device=device)
    down = torch.linspace(0, 1, height, device=device)[:, None, None]
    return torch.lerp(upper, lower, down).expand(height, width, 3).reshape(-1, 3).clone()
