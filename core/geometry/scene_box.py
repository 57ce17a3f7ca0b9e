"""The region of interest as a ball, found from cameras, sparse points or silhouettes.

`origins` [N, 3] and unit `forward` [N, 3] are the cameras' centres and optical axes.
"""

from __future__ import annotations

import numpy as np

from core.geometry.rigid import invert, rotation_between, similarity, similarity_scale

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


def focus_point(origins: np.ndarray, forward: np.ndarray) -> np.ndarray:
    """[3] the point nearest to all optical axes, in the sense of least absolute distances
    (iteratively reweighted least squares), so that a few cameras that look elsewhere do not
    count. A weak pull towards the origins' mean keeps it finite for parallel axes."""
    across = np.eye(3) - forward[:, :, None] * forward[:, None, :]
    spread = np.linalg.norm(origins - origins.mean(0), axis=1).mean() + 1e-9
    weights = np.ones(len(origins))
    point = origins.mean(0)
    for _ in range(20):
        a = np.einsum("n,nij->ij", weights, across) + 1e-4 * weights.sum() * np.eye(3)
        b = np.einsum("n,nij,nj->i", weights, across, origins)
        point = np.linalg.solve(a, b + 1e-4 * weights.sum() * origins.mean(0))
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


def upright_rotation(world_from_camera: np.ndarray, declared_z_up: bool) -> np.ndarray:
    """[3, 3] rotation that turns up to +Z: none where +Z is declared to be up and the photos
    [N, 4, 4] do not plainly contradict it (by more than 60 degrees)."""
    up = up_direction(world_from_camera)
    if declared_z_up and up[2] > 0.5:
        return np.eye(3)
    return rotation_between(up, np.array([0.0, 0.0, 1.0]))


def ball_from_axes(origins: np.ndarray, forward: np.ndarray) -> Ball:
    """The ball about the focus of the optical axes that fills about half of a photo's height:
    without points or masks nothing more is known."""
    center = focus_point(origins, forward)
    distances = np.linalg.norm(origins - center, axis=1)
    return center, 0.5 * float(np.median(distances))


def ball_from_points(points: np.ndarray, origins: np.ndarray, forward: np.ndarray) -> Ball:
    """The ball about the sparse points [P, 3] near the focus of the optical axes."""
    focus = focus_point(origins, forward)
    reach = float(np.median(np.linalg.norm(origins - focus, axis=1)))
    near = points[np.linalg.norm(points - focus, axis=1) < reach]
    if len(near) < 20:
        return ball_from_axes(origins, forward)
    center = np.median(near, axis=0)
    radius = float(np.percentile(np.linalg.norm(near - center, axis=1), 95))
    return center, 1.1 * radius
