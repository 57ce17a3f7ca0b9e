"""Depth maps of many cameras, fused into one signed distance on a grid.

Source: Curless & Levoy 1996, "A volumetric method for building complex models from range images":
each camera measures the distance of nearby space to the surface that it sees, and the mean of these
measurements is the signed distance. Space that no camera sees counts as solid.
"""

# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUntypedFunctionDecorator=false, reportMissingTypeStubs=false
# scipy has no types; numba infers those of the compiled function

from __future__ import annotations

import numpy as np
from numba import njit
from scipy import ndimage

from core.base.parallel import parallel_map
from core.base.shapes import check_shapes
from core.geometry.cameras import Intrinsics
from core.geometry.rigid import invert

TRUNCATION = 0.045
"""Distance behind a visible surface up to which a camera is averaged, scene units: no more than a
thin wall, whose other side other cameras see."""
N_SLABS = 16
"""Number of shards of the grid, for parallel work."""


class DistanceFusion:
    """Fuses depth maps over [-1, 1]³, with ``resolution`` cells along each side."""

    def __init__(self, resolution: int) -> None:
        self._line = ((np.arange(resolution) + 0.5) * (2 / resolution) - 1).astype(np.float32)
        self._sum = np.zeros((resolution,) * 3, np.float32)
        self._count = np.zeros((resolution,) * 3, np.uint16)
        self._in_view = np.zeros((resolution,) * 3, np.bool_)

    def add(self, distance: np.ndarray, lens: Intrinsics, scene_from_camera: np.ndarray) -> None:
        """Add the depth map of one camera.

        Args:
            distance: [H, W] along each pixel's ray, scene units, infinite where nothing is hit.
            lens: of the depth map, a pinhole.
            scene_from_camera: [4, 4] pose.
        """
        check_shapes(distance=(distance, "H W"), scene_from_camera=(scene_from_camera, "4 4"))
        camera_from_scene = invert(scene_from_camera)[:3].astype(np.float32)
        pinhole = np.array([lens.fx, lens.fy, lens.cx, lens.cy], np.float32)
        distance = np.ascontiguousarray(distance, np.float32)

        def integrate(slab: np.ndarray) -> None:
            part = slice(slab[0], slab[-1] + 1)
            _integrate(
                distance,
                pinhole,
                camera_from_scene,
                self._line[part],
                self._line,
                self._sum[part],
                self._count[part],
                self._in_view[part],
            )

        parallel_map(integrate, np.array_split(np.arange(len(self._line)), N_SLABS))

    def signed_distance(self) -> np.ndarray:
        """Return the signed distance [G, G, G] at the cells' centres, x first, negative inside.

        It is float32, scene units: near the surface the fused mean, farther away the distance to
        the nearest cell of the surface.
        """
        known, cell = self._count > 0, 2 / len(self._line)
        near = np.where(known, self._sum / np.maximum(self._count, 1), TRUNCATION)
        near[self._in_view & ~known] = -TRUNCATION
        outside, inside = parallel_map(_cells_to_the_other_side, [near > 0, near <= 0])
        far = np.where(near > 0, outside - 0.5, 0.5 - inside) * cell
        # the mean knows more than the nearest cell, but only where the two agree
        trusted = (np.abs(near) < 0.8 * TRUNCATION) & (np.abs(far - near) < 1.5 * cell)
        return np.where(trusted, near, far).astype(np.float32)


def _cells_to_the_other_side(mask: np.ndarray) -> np.ndarray:
    """Return the distance from each cell in ``mask`` to the nearest outside it, 0 elsewhere."""
    return np.asarray(ndimage.distance_transform_edt(mask))


@njit(cache=True, nogil=True)  # without fastmath, which knows no infinity
def _integrate(distance, pinhole, camera_from_scene, xs, line, total, count, in_view):
    """Add the truncated distances of one camera to the cells inside the ball.

    ``distance`` [H, W], ``pinhole`` [4] (fx, fy, cx, cy), ``camera_from_scene`` [3, 4], ``xs`` [S]
    and ``line`` [G] cell centres; ``total``, ``count`` and ``in_view`` [S, G, G] are updated.
    """
    height, width = distance.shape
    fx, fy, cx, cy = pinhole
    m, reach = camera_from_scene, (1 + np.float32(2) / len(line)) ** 2
    for i in range(len(xs)):
        for j in range(len(line)):
            for k in range(len(line)):
                x, y, z = xs[i], line[j], line[k]
                if x * x + y * y + z * z > reach:
                    continue
                deep = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
                if deep <= 0:
                    continue
                right = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]
                down = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]
                u, v = fx * right / deep + cx, fy * down / deep + cy
                if not (0 <= u < width and 0 <= v < height):
                    continue
                in_view[i, j, k] = True
                before = distance[int(v), int(u)] - np.sqrt(right**2 + down**2 + deep**2)
                if before > -TRUNCATION:
                    total[i, j, k] += min(before, TRUNCATION)
                    count[i, j, k] += 1
