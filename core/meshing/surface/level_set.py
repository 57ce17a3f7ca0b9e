"""The level set of a density: a surface, but only an approximation of the true one."""
# scipy has no type stubs
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt

LATTICE_CELLS = 64
"""cells along the cube; walls thinner than one, away from all others, may be missed"""
SLOPE_MARGIN = 4.0
"""how much steeper than on the lattice the steepest places are assumed to be"""


class LevelSet:
    """A bound of the distance to the zero of a function, by which free space can be skipped.

    A density's level is no distance. Away from the cells of a lattice where its sign changes, the
    answer is therefore the distance to those; near them it is the level over its slope.
    """

    def __init__(self, level: Callable[[np.ndarray], np.ndarray]) -> None:
        """Take ``level``: points [N, 3] in the cube [-1, 1]³ to [N], negative inside."""
        self._level = level
        self._distances: np.ndarray | None = None
        self._steepness = 1.0

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """[N] of points [N, 3] in the cube."""
        if self._distances is None:
            self._distances = self._lattice_distances()
        cells = ((points + 1) * (LATTICE_CELLS / 2)).astype(int).clip(0, LATTICE_CELLS - 1)
        distances = self._distances[tuple(cells.T)]
        near = distances == 0
        if near.any():
            distances[near] = self._level(points[near]) / self._steepness
        return distances

    def _lattice_distances(self) -> np.ndarray:
        """[G, G, G] signed distances to the cells near the zero, 0 in these."""
        line = (np.arange(LATTICE_CELLS, dtype=np.float32) + 0.5) * (2 / LATTICE_CELLS) - 1
        points = np.stack(np.meshgrid(line, line, line, indexing="ij"), -1).reshape(-1, 3)
        values = self._level(points).reshape((LATTICE_CELLS,) * 3)
        near, slopes = np.zeros(values.shape, bool), [np.ones(1)]
        for axis in range(3):
            step = np.diff(values, axis=axis)
            after = np.moveaxis(values, axis, 0)
            changes = np.moveaxis((after[1:] < 0) != (after[:-1] < 0), 0, axis)
            slopes.append(np.abs(step[changes]) * (LATTICE_CELLS / 2))
            beside = np.moveaxis(near, axis, 0)
            beside[1:] |= np.moveaxis(changes, axis, 0)
            beside[:-1] |= np.moveaxis(changes, axis, 0)
        self._steepness = SLOPE_MARGIN * float(np.quantile(np.concatenate(slopes), 0.9))
        near = binary_dilation(near, np.ones((3, 3, 3), bool))
        if not near.any():
            return np.where(values < 0, -1.0, 1.0)
        return np.sign(values) * distance_transform_edt(np.logical_not(near)) * (2 / LATTICE_CELLS)
