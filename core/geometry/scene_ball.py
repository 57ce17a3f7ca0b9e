"""What cameras look at: its middle, its size, where up is; and balls.

`origins` [N, 3] and unit `forward` [N, 3] are the cameras' centres and optical axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.geometry.cameras import Intrinsics, project
from core.geometry.rigid import (
    invert,
    similarity,
    similarity_scale,
    transform_points,
)

_MOST_VIEWS = 60
_FRAME_MARGIN = 1.12

Ball = tuple[np.ndarray, float]
"""Centre [3] and radius."""


def scene_from_ball(center: np.ndarray, radius: float, rotation: np.ndarray) -> np.ndarray:
    """[4, 4] similarity that carries the ball onto the unit ball and turns it by ``rotation``."""
    scale = 1.0 / radius
    return similarity(scale, rotation, -scale * rotation @ center)


def ball_from_scene(scene_from_input: np.ndarray) -> Ball:
    """The ball, in the input's frame, that the similarity carries onto the unit ball."""
    input_from_scene = invert(scene_from_input)
    return input_from_scene[:3, 3], similarity_scale(input_from_scene)


def enclosing_ball(points: np.ndarray) -> Ball:
    """A ball about points [P, 3], within a percent of the smallest (Bădoiu and Clarkson 2003)."""
    center = (points.min(0) + points.max(0)) / 2
    for i in range(1, 200):
        farthest = points[np.argmax(((points - center) ** 2).sum(1))]
        center = center + (farthest - center) / (i + 1)
    return center, float(np.linalg.norm(points - center, axis=1).max())


def focus_point(
    origins: np.ndarray, forward: np.ndarray, prior: np.ndarray | None = None, trust: float = 1e-4
) -> np.ndarray:
    """[3] the point nearest to all optical axes, in the sense of least absolute distances
    (iteratively reweighted least squares), so that a few cameras that look elsewhere do not
    count. A pull of weight ``trust`` towards ``prior`` [3] (default: the origins' mean) decides
    where axes that are nearly parallel do not."""
    pulled_to = origins.mean(0) if prior is None else prior
    across = np.eye(3) - forward[:, :, None] * forward[:, None, :]
    spread = np.linalg.norm(origins - origins.mean(0), axis=1).mean() + 1e-9
    weights = np.ones(len(origins))
    point = origins.mean(0)
    for _ in range(20):
        weights /= weights.sum()
        a = np.einsum("n,nij->ij", weights, across) + trust * np.eye(3)
        b = np.einsum("n,nij,nj->i", weights, across, origins) + trust * pulled_to
        point = np.linalg.solve(a, b)
        distance = np.linalg.norm(np.einsum("nij,nj->ni", across, point - origins), axis=1)
        weights = 1.0 / np.maximum(distance, 0.05 * spread)
    return point


def up_direction(world_from_camera: np.ndarray) -> np.ndarray:
    """[3] unit: the direction that is up in most photos [N, 4, 4], assuming they are upright.

    It is across the cameras' right vectors, which holds for cameras that tilt too, and near the
    mean of their up vectors, which decides where the right vectors do not.
    """
    right, up = world_from_camera[:, :3, 0], -world_from_camera[:, :3, 1].mean(0)
    scatter = right.T @ right / len(right)
    direction = np.linalg.solve(scatter + 0.02 * np.eye(3), up)
    length = np.linalg.norm(direction)
    return direction / length if length > 1e-9 else np.array([0.0, 0.0, 1.0])


def ball_from_axes(world_from_camera: np.ndarray, lenses: Sequence[Intrinsics]) -> Ball:
    """The ball about the focus of the optical axes that fills the photos: without points or masks
    nothing more is known. Poses [N, 4, 4] and a lens for each."""
    origins = world_from_camera[:, :3, 3]
    center = focus_point(origins, world_from_camera[:, :3, 2])
    return center, framed_radius(center, origins, lenses)


def framed_radius(center: np.ndarray, origins: np.ndarray, lenses: Sequence[Intrinsics]) -> float:
    """Radius of the ball about ``center`` that fills a typical photo: its outline lies between
    the photo's narrow and wide sides. Never so large that the typical camera is near it."""
    distances = np.linalg.norm(origins - center, axis=1)
    areas = np.array([lens.width * lens.height / (lens.fx * lens.fy) for lens in lenses])
    return float(np.median(distances * np.minimum(_FRAME_MARGIN * np.sqrt(areas) / 2, 0.8)))


def centrality(
    points: np.ndarray, world_from_camera: np.ndarray, lenses: Sequence[Intrinsics]
) -> np.ndarray:
    """[P] in [0, 1]: 1 for a point in the middle of every photo, less towards the border, a photo
    that does not show it counting 0."""
    every = max(1, len(lenses) // _MOST_VIEWS)
    total = np.zeros(len(points))
    for pose, lens in list(zip(world_from_camera, lenses))[::every]:
        half = np.array([lens.width, lens.height]) / 2
        offset = project(lens, transform_points(invert(pose), points)) - half
        offset = np.where(np.isfinite(offset), offset, np.inf)
        shown = (np.abs(offset) < half).all(1)
        total[shown] += np.exp(-((offset[shown] / half.min()) ** 2).sum(1))
    return total / len(lenses[::every])


def weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The value below which ``share`` of the ``weights`` [P] of ``values`` [P] lies."""
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    index = np.searchsorted(cumulative, share * cumulative[-1])
    return float(values[order][min(index, len(values) - 1)])
