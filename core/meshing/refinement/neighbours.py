"""Which photos to compare: those that see the same surface from a useful angle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.geometry.cameras import project
from core.meshing.refinement.pinhole_photo import PinholePhoto

BEST_ANGLE, ANGLE_SPREAD, LEAST_ANGLE = 14.0, 10.0, 3.0
"""degrees between the rays to a point: best, how fast it gets worse, and what says nothing"""
SCALE_SPREAD = 0.4
"""of the logarithm of the ratio of distances"""
SAMPLES = 400
"""points of the mesh by which photos are chosen"""
SAME_SIDE = 0.6
"""cosine between the ways to two neighbours, from which on the second adds little"""


def choose_neighbours(
    points: np.ndarray, normals: np.ndarray, photos: Sequence[PinholePhoto], n: int
) -> list[list[int]]:
    """For each photo the numbers of up to ``n`` others to compare it with, the best first.

    Args:
        points: [V, 3] of the mesh, in the frame of the photos.
        normals: [V, 3] unit.
        photos: all of them.
        n: most neighbours of a photo; they lie on different sides of it.
    """
    some = np.random.default_rng(0).permutation(len(points))[:SAMPLES]
    points, normals = points[some], normals[some]
    centers = np.array([photo.world_from_camera[:3, 3] for photo in photos])
    rays = points - centers[:, None]  # [N, S, 3]
    distance = np.maximum(np.linalg.norm(rays, axis=2), 1e-12)
    rays /= distance[..., None]
    facing = np.clip(-(rays * normals).sum(2), 0, 1)
    seen = np.stack([_in_picture(points, photo) for photo in photos]) * facing
    chosen = []
    for i in range(len(photos)):
        angle = np.degrees(np.arccos(np.clip((rays * rays[i]).sum(2), -1, 1)))
        worth = np.exp(-(((angle - BEST_ANGLE) / ANGLE_SPREAD) ** 2)) * (angle > LEAST_ANGLE)
        worth *= np.exp(-((np.log(distance / distance[i]) / SCALE_SPREAD) ** 2))
        score = (worth * seen * seen[i]).sum(1)
        score[i] = 0
        chosen.append(_on_different_sides(score, centers - centers[i], n))
    return chosen


def _on_different_sides(score: np.ndarray, ways: np.ndarray, n: int) -> list[int]:
    """The best by ``score`` [N], each lessening those that lie the same way from the photo."""
    ways = ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-12)
    score, least = score.copy(), 0.05 * score.max()
    chosen: list[int] = []
    while len(chosen) < n and score.max() > max(least, 0):
        best = int(score.argmax())
        chosen.append(best)
        score = np.where(ways @ ways[best] > SAME_SIDE, 0.4 * score, score)
        score[best] = 0
    return chosen


def _in_picture(points: np.ndarray, photo: PinholePhoto) -> np.ndarray:
    pose = photo.world_from_camera
    pixels = project(photo.lens, (points - pose[:3, 3]) @ pose[:3, :3])
    with np.errstate(invalid="ignore"):
        inside = (pixels >= 0) & (pixels < [photo.lens.width, photo.lens.height])
    return np.all(inside, axis=1)
