"""The ball that the cameras look at: its centre, its radius, and the direction that is up.

`origins` [N, 3] and unit `forward` [N, 3] are the cameras' centres and optical axes.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# numpy's linear algebra and search return partly unknown types

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.base.shapes import check_shapes
from core.geometry.cameras import Intrinsics, project
from core.geometry.rigid import (
    invert,
    similarity,
    similarity_scale,
    transform_points,
)

_MAX_VIEWS = 60  # that are used for the centrality of points
_FRAME_MARGIN = 1.12  # ball's diameter over the geometric mean of a photo's sides

Ball = tuple[np.ndarray, float]
"""Centre [3] and radius."""


def scene_from_ball(center: np.ndarray, radius: float, rotation: np.ndarray) -> np.ndarray:
    """Return the similarity [4, 4] from the ball to the unit ball, rotated by ``rotation``."""
    scale = 1.0 / radius
    return similarity(scale, rotation, -scale * rotation @ center)


def ball_from_scene(scene_from_input: np.ndarray) -> Ball:
    """Return the ball, in the input frame, that the similarity maps to the unit ball."""
    input_from_scene = invert(scene_from_input)
    return input_from_scene[:3, 3], similarity_scale(input_from_scene)


def enclosing_ball(points: np.ndarray) -> Ball:
    """Return a ball around ``points`` [P, 3], within a percent of the smallest.

    Source: Bădoiu and Clarkson 2003, "Smaller core-sets for balls".
    """
    check_shapes(points=(points, "P 3"))
    center = (points.min(0) + points.max(0)) / 2
    for i in range(1, 200):
        farthest = points[np.argmax(((points - center) ** 2).sum(1))]
        center = center + (farthest - center) / (i + 1)
    return center, float(np.linalg.norm(points - center, axis=1).max())


def focus_point(
    origins: np.ndarray, forward: np.ndarray, prior: np.ndarray | None = None, trust: float = 1e-4
) -> np.ndarray:
    """Return the point [3] nearest to all optical axes.

    It minimises absolute distances by iteratively reweighted least squares, so that a few cameras
    that look elsewhere do not matter.

    Args:
        origins: [N, 3] camera centres.
        forward: [N, 3] unit optical axes.
        prior: [3] the point to prefer where axes are nearly parallel; None: the mean of origins.
        trust: weight of the prior.
    """
    check_shapes(origins=(origins, "N 3"), forward=(forward, "N 3"))
    target = origins.mean(0) if prior is None else prior
    across = np.eye(3) - forward[:, :, None] * forward[:, None, :]
    spread = np.linalg.norm(origins - origins.mean(0), axis=1).mean() + 1e-9
    weights = np.ones(len(origins))
    point = origins.mean(0)
    for _ in range(20):
        weights /= weights.sum()
        a = np.einsum("n,nij->ij", weights, across) + trust * np.eye(3)
        b = np.einsum("n,nij,nj->i", weights, across, origins) + trust * target
        point = np.linalg.solve(a, b)
        distance = np.linalg.norm(np.einsum("nij,nj->ni", across, point - origins), axis=1)
        weights = 1.0 / np.maximum(distance, 0.05 * spread)
    return point


def up_direction(world_from_camera: np.ndarray) -> np.ndarray:
    """Return the unit direction [3] that is up in most photos, assuming that they are upright.

    It is orthogonal to the cameras' right vectors, even of tilted cameras, and near the mean of
    their up vectors, which decides where the right vectors are ambiguous.

    Args:
        world_from_camera: [N, 4, 4] poses.
    """
    check_shapes(world_from_camera=(world_from_camera, "N 4 4"))
    right, up = world_from_camera[:, :3, 0], -world_from_camera[:, :3, 1].mean(0)
    scatter = right.T @ right / len(right)
    direction = np.linalg.solve(scatter + 0.02 * np.eye(3), up)
    length = np.linalg.norm(direction)
    return direction / length if length > 1e-9 else np.array([0.0, 0.0, 1.0])


def ball_from_axes(world_from_camera: np.ndarray, lenses: Sequence[Intrinsics]) -> Ball:
    """Return the ball around the focus of the optical axes that fills the photos.

    Without points or masks nothing more is known.

    Args:
        world_from_camera: [N, 4, 4] poses.
        lenses: N intrinsics.
    """
    origins = world_from_camera[:, :3, 3]
    center = focus_point(origins, world_from_camera[:, :3, 2])
    return center, framed_radius(center, origins, lenses)


def framed_radius(center: np.ndarray, origins: np.ndarray, lenses: Sequence[Intrinsics]) -> float:
    """Return the radius of the ball around ``center`` [3] that fills a typical photo.

    Its outline is between the photo's narrow and wide sides. It stays smaller than the distance of
    the typical camera.
    """
    distances = np.linalg.norm(origins - center, axis=1)
    areas = np.array([lens.width * lens.height / (lens.fx * lens.fy) for lens in lenses])
    return float(np.median(distances * np.minimum(_FRAME_MARGIN * np.sqrt(areas) / 2, 0.8)))


def centrality(
    points: np.ndarray, world_from_camera: np.ndarray, lenses: Sequence[Intrinsics]
) -> np.ndarray:
    """Return how central each point is in the photos, [P] in [0, 1].

    A point in the middle of all photos has 1, less towards the border; photos that do not show it
    count as 0.

    Args:
        points: [P, 3].
        world_from_camera: [N, 4, 4] poses.
        lenses: N intrinsics.
    """
    check_shapes(points=(points, "P 3"), world_from_camera=(world_from_camera, "N 4 4"))
    every = max(1, len(lenses) // _MAX_VIEWS)
    total = np.zeros(len(points))
    for pose, lens in list(zip(world_from_camera, lenses))[::every]:
        half = np.array([lens.width, lens.height]) / 2
        offset = project(lens, transform_points(invert(pose), points)) - half
        offset = np.where(np.isfinite(offset), offset, np.inf)
        shown = (np.abs(offset) < half).all(1)
        total[shown] += np.exp(-((offset[shown] / half.min()) ** 2).sum(1))
    return total / len(lenses[::every])


def weighted_quantile(values: np.ndarray, weights: np.ndarray, q: float) -> float:
    """Return the ``q`` quantile of ``values`` [P] with ``weights`` [P]."""
    check_shapes(values=(values, "P"), weights=(weights, "P"))
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    index = np.searchsorted(cumulative, q * cumulative[-1])
    return float(values[order][min(index, len(values) - 1)])
