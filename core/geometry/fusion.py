"""Depth maps of many cameras, fused into one signed distance on a grid.

Source: Curless & Levoy 1996, "A volumetric method for building complex models from range images":
each camera says of the space around the surface it sees how far it is before or behind it, and
the mean of what they say is the distance. What no camera sees is taken to be solid.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from core.geometry.cameras import Intrinsics, project

TRUNCATION = 0.045
"""Scene units behind a seen surface about which a camera still speaks: no more than a thin wall,
whose other side is another camera's to tell."""


class DistanceFusion:
    """Collects depth maps over [-1, 1]³, ``resolution`` cells along each side."""

    def __init__(self, resolution: int) -> None:
        self.resolution = resolution
        line = ((np.arange(resolution) + 0.5) * (2 / resolution) - 1).astype(np.float32)
        x, y, z = np.meshgrid(line, line, line, indexing="ij")
        self._in_ball = x**2 + y**2 + z**2 < (1 + 2 / resolution) ** 2
        self._centers = np.stack([x, y, z], -1)[self._in_ball]
        self._sum = np.zeros(len(self._centers), np.float32)
        self._count = np.zeros(len(self._centers), np.float32)
        self._in_view = np.zeros(len(self._centers), bool)

    def says(
        self, distance: np.ndarray, lens: Intrinsics, scene_from_camera: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What one camera says: cells in its picture [N] bool, those of them it speaks about
        [M] indices, and the distances there [M]. ``distance`` [H, W] along each pixel's ray, scene
        units, infinite where nothing is hit. To be `add`\\ ed."""
        rotation = scene_from_camera[:3, :3].astype(np.float32)
        offset = self._centers - scene_from_camera[:3, 3].astype(np.float32)
        uv = project(lens, offset @ rotation)
        in_view = np.all((uv >= 0) & (uv < (lens.width, lens.height)), axis=1)
        seen = np.flatnonzero(in_view)
        u, v = uv[seen].astype(np.int64).T
        before = distance[v, u] - np.linalg.norm(offset[seen], axis=1)
        near = before > -TRUNCATION
        return in_view, seen[near], np.minimum(before[near], TRUNCATION)

    def add(self, in_view: np.ndarray, cells: np.ndarray, distances: np.ndarray) -> None:
        """Take in what a camera `says`."""
        self._in_view |= in_view
        self._sum[cells] += distances
        self._count[cells] += 1

    def signed_distance(self) -> np.ndarray:
        """[G, G, G] float32 scene units at the cells' centres, x first, negative inside: near the
        surface the fused mean, farther away the distance to its nearest cell."""
        known = self._count > 0
        mean = np.where(known, self._sum / np.maximum(self._count, 1), TRUNCATION)
        mean[self._in_view & ~known] = -TRUNCATION
        near = np.full((self.resolution,) * 3, TRUNCATION, np.float32)
        near[self._in_ball] = mean
        cell = 2 / self.resolution
        outside = np.asarray(ndimage.distance_transform_edt(near > 0)) * cell - cell / 2
        inside = np.asarray(ndimage.distance_transform_edt(near <= 0)) * cell - cell / 2
        far = np.where(near > 0, outside, -inside)
        # the mean knows more than the nearest cell, but only where the two agree
        trusted = (np.abs(near) < 0.8 * TRUNCATION) & (np.abs(far - near) < 1.5 * cell)
        return np.where(trusted, near, far).astype(np.float32)
