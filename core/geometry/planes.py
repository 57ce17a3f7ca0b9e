"""The dominant plane of sparse points: the ground, a table, a wall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.base.shapes import check_shapes

_RANSAC_ITERATIONS = 1000
_MAX_POINTS = 5000
_BEHIND_TOLERANCES = 4  # points farther behind a plane count against it


@dataclass(frozen=True)
class Plane:
    """The plane normal · x = offset."""

    normal: np.ndarray
    """[3], unit"""
    offset: float
    inlier_fraction: float
    """fraction of the points' weight that is on the plane"""

    def height(self, points: np.ndarray) -> np.ndarray:
        """Return the signed distances [P] of ``points`` [P, 3]."""
        return points @ self.normal - self.offset


def dominant_plane(
    points: np.ndarray,
    weights: np.ndarray,
    tolerance: float,
    toward: np.ndarray,
    within_degrees: float,
) -> Plane | None:
    """Fit the plane with most points by RANSAC (Fischler and Bolles 1981), then least squares.

    Points behind the plane count against it, since a floor or wall hides what is behind it.

    Args:
        points: [P, 3].
        weights: [P].
        tolerance: largest distance of an inlier.
        toward: [3] unit, approximate normal.
        within_degrees: largest angle between normal and ``toward``.

    Returns:
        The plane; None where no three points span one.
    """
    check_shapes(points=(points, "P 3"), weights=(weights, "P"), toward=(toward, "3"))
    rng = np.random.default_rng(0)
    if len(points) < 3:
        return None
    if len(points) > _MAX_POINTS:
        kept = rng.choice(len(points), _MAX_POINTS, replace=False)
        points, weights = points[kept], weights[kept]
    chosen = rng.choice(len(points), (_RANSAC_ITERATIONS, 3), p=weights / weights.sum())
    a, b, c = points[chosen].swapaxes(0, 1)
    normals = np.cross(b - a, c - a)
    lengths = np.linalg.norm(normals, axis=1)
    normals *= np.where(normals @ toward < 0, -1.0, 1.0)[:, None]
    allowed = lengths > 1e-12
    normals = normals[allowed] / lengths[allowed, None]
    tilted = normals @ toward < np.cos(np.radians(within_degrees))
    normals, a = normals[~tilted], a[allowed][~tilted]
    if not len(normals):
        return None
    offsets = np.einsum("ti,ti->t", normals, a)
    height = points @ normals.T - offsets
    best = int(
        np.argmax(
            weights @ (np.abs(height) < tolerance)
            - weights @ (height < -_BEHIND_TOLERANCES * tolerance)
        )
    )
    normal, offset = normals[best], offsets[best]
    for _ in range(3):
        inside = np.abs(points @ normal - offset) < tolerance
        center = np.average(points[inside], axis=0, weights=weights[inside])
        away = (points[inside] - center) * np.sqrt(weights[inside])[:, None]
        fitted = np.linalg.svd(away, full_matrices=False)[2][2]
        normal = fitted * np.sign(fitted @ normal)
        offset = float(normal @ center)
    on_it = np.abs(points @ normal - offset) < tolerance
    return Plane(normal, offset, float(weights[on_it].sum() / weights.sum()))
