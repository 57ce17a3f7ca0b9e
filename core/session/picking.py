"""What lies under the mouse: of the surface, or of the sparse points while there is none."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# numpy leaves the type of np.cross open.

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from core.capture.scene import Scene
from core.geometry.rigid import transform_points
from core.protocol import Pick, Picked
from core.rendering.preview import PIXEL_TOLERANCE, trace_field
from core.rendering.rays import Rays
from core.rendering.sphere_trace import sphere_trace
from core.training.density_to_sdf import median_distance
from core.training.trainer import Trainer

CONE = math.radians(1.5)
"""Half angle of what is looked at around the ray."""
FAN = 9
"""Rays across that."""
NEIGHBOURS = 40
FEWEST = 6  # points that tell a plane


def pick(scene: Scene, trainer: Trainer | None, pick: Pick) -> Picked:
    """What lies along the ray of ``pick``."""
    origin, direction = np.array(pick.origin), np.array(pick.direction)
    direction = direction / np.linalg.norm(direction)
    if trainer is not None:
        return _sdf_losses(trainer, origin, direction)
    points = transform_points(scene.scene_from_input, scene.points.astype(np.float64))
    return _of_points(points, origin, direction)


@torch.no_grad()
def _sdf_losses(trainer: Trainer, origin: np.ndarray, direction: np.ndarray) -> Picked:
    """A fan of rays; the one in the middle hits the point, all that hit nearby tell its plane."""
    ahead = torch.tensor(direction, dtype=torch.float32, device=trainer.device)
    right = torch.linalg.cross(ahead, torch.eye(3, device=trainer.device)[ahead.abs().argmin()])
    right = F.normalize(right, dim=0)
    line = torch.linspace(-1, 1, FAN, device=trainer.device) * math.tan(CONE)
    across = torch.cartesian_prod(line, line)
    fan = ahead + across[:, :1] * right + across[:, 1:] * torch.linalg.cross(ahead, right)
    directions = F.normalize(fan, dim=-1)
    start = torch.tensor(origin, dtype=torch.float32, device=trainer.device)
    origins = start.expand_as(directions).contiguous()
    if trainer.model.has_sdf:
        grid = trace_field(trainer.model, trainer.visible_occupancy, None, "depth").occupancy
        tolerance = PIXEL_TOLERANCE * CONE / FAN
        t, hit = sphere_trace(
            trainer.model.shape.implicit_value, origins, directions, grid, tolerance
        )
    else:  # a density is met where half of the light is stopped: that is what is seen
        t = median_distance(trainer.model, trainer.visible_occupancy, Rays(origins, directions))
        hit = t.isfinite()
    middle = len(t) // 2
    if not hit[middle]:
        return Picked(None, None)
    near = hit & ((t - t[middle]).abs() < 4 * CONE * t[middle])
    points = (origins[near] + directions[near] * t[near, None]).double().cpu().numpy()
    point = origin + direction * float(t[middle])
    return _answer(point, points, direction)


def _of_points(points: np.ndarray, origin: np.ndarray, direction: np.ndarray) -> Picked:
    """The nearest to the eye of the ``points`` [P, 3] close to the ray."""
    along = (points - origin) @ direction
    off = np.linalg.norm(points - origin - along[:, None] * direction, axis=1)
    close = np.flatnonzero((along > 0) & (off < CONE * along))
    if not len(close):
        return Picked(None, None)
    point = points[close[np.argmin(along[close])]]
    nearest = np.argsort(((points - point) ** 2).sum(1))[:NEIGHBOURS]
    return _answer(point, points[nearest], direction)


def _answer(point: np.ndarray, around: np.ndarray, direction: np.ndarray) -> Picked:
    """``point`` with the normal, towards the eye, of the plane through the points ``around``."""
    x, y, z = point.tolist()
    if len(around) < FEWEST:
        return Picked((x, y, z), None)
    normal = np.linalg.svd(around - np.median(around, axis=0))[2][2]
    a, b, c = (-np.sign(normal @ direction) * normal).tolist()
    return Picked((x, y, z), (a, b, c))
