"""The step that a surface takes when its points are pulled and it resists bending."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array

MAX_ITERATIONS = 40
TOLERANCE = 1e-4
"""of the preconditioned residual, beside that of no step"""


def bending_matrix(n: int, faces: np.ndarray) -> csr_array:
    """Build K = LᵀL, [V, V], of the umbrella Laplacian L of ``n`` vertices joined by ``faces``.

    xᵀKx is the thin plate's energy of Kobbelt et al. 1998; K is positive semidefinite.
    """
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ends = np.concatenate([ends, ends[:, ::-1]])
    beside = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n, n)).tocsr()
    beside.data[:] = 1.0  # an edge of two faces counts once
    degree = np.maximum(np.asarray(beside.sum(1)).ravel(), 1)
    umbrella = diags_array(1 / degree) @ beside - diags_array(np.ones(n))
    return csr_array(umbrella.T @ umbrella)


def smooth_step(
    vertices: np.ndarray,
    normals: np.ndarray,
    bending: csr_array,
    gradient: np.ndarray,
    curvature: np.ndarray,
    stiffness: float,
) -> np.ndarray:
    """Offsets [V] along the normals: a Gauss-Newton step with an implicit thin plate.

    They minimise gᵀδ + ½ δᵀHδ + ½ w |L(x + δn)|² over those vertices that any photo sees, where
    H is diagonal and w is ``stiffness`` times the mean of H; the others stay.

    Args:
        vertices: x, [V, 3].
        normals: n, [V, 3], unit.
        bending: LᵀL, [V, V].
        gradient: g, [V].
        curvature: the diagonal of H, [V].
        stiffness: without unit; 0 lets every vertex follow the photos alone.
    """
    seen = curvature > 0
    if not seen.any():
        return np.zeros(len(vertices))
    weight = stiffness * float(curvature[seen].mean())
    free = seen.astype(float)
    residual = free * (-gradient - weight * (normals * (bending @ vertices)).sum(1))
    diagonal = curvature + weight * bending.diagonal() + (1 - free)

    def apply(offsets: np.ndarray) -> np.ndarray:
        moved = normals * (free * offsets)[:, None]
        bending_force = weight * (normals * (bending @ moved)).sum(1)
        return free * (curvature * offsets + bending_force) + (1 - free) * offsets

    return free * _conjugate_gradients(apply, residual, diagonal)


def _conjugate_gradients(
    apply: Callable[[np.ndarray], np.ndarray], right: np.ndarray, diagonal: np.ndarray
) -> np.ndarray:
    """Solve for x [V] with ``apply`` of it near ``right``, preconditioned by the ``diagonal``."""
    x, rest = np.zeros_like(right), right
    ahead = rest / diagonal
    way, size = ahead, float(rest @ ahead)
    enough = TOLERANCE**2 * size
    for _ in range(MAX_ITERATIONS):
        if size <= enough:
            break
        applied = apply(way)
        length = size / float(way @ applied)
        x, rest = x + length * way, rest - length * applied
        ahead = rest / diagonal
        before, size = size, float(rest @ ahead)
        way = ahead + size / before * way
    return x
