"""The dominant plane of sparse points: the ground, a table, a wall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_TRIES = 1000
_MOST_POINTS = 5000
_BEHIND = 4  # tolerances


@dataclass(frozen=True)
class Plane:
    """The points x with ``normal`` [3] (unit) · x = ``offset``; ``share`` of the points' weight
    lies on it."""

    normal: np.ndarray
    offset: float
    share: float

    def height(self, points: np.ndarray) -> np.ndarray:
        """[P] signed distances of ``points`` [P, 3]."""
        return points @ self.normal - self.offset


def dominant_plane(
    points: np.ndarray,
    weights: np.ndarray,
    tolerance: float,
    toward: np.ndarray,
    within_degrees: float,
) -> Plane | None:
    """The plane on which, to within ``tolerance``, most of the ``weights`` [P] of ``points`` [P, 3]
    lie, what lies behind it taken off, as a floor or wall hides that; of those planes whose normal
    is ``within_degrees`` of ``toward`` [3]. None where no three points span one. RANSAC (Fischler
    and Bolles 1981), then least squares."""
    rng = np.random.default_rng(0)
    if len(points) < 3:
        return None
    if len(points) > _MOST_POINTS:
        kept = rng.choice(len(points), _MOST_POINTS, replace=False)
        points, weights = points[kept], weights[kept]
    chosen = rng.choice(len(points), (_TRIES, 3), p=weights / weights.sum())
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
            weights @ (np.abs(height) < tolerance) - weights @ (height < -_BEHIND * tolerance)
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
