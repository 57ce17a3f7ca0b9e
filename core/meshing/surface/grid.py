"""The sampling grid of a field, and which of its samples the surface can be near.

The region is divided into *cells*, the smallest cubes, between *samples*, which are numbered
[i, j, k] from its lower corner. A *brick* is a cube of cells that is tested for free space.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.base.jobs import Task

MAX_SLOPE = 2.0
"""no surface is lost while |∇sdf| stays below this"""

Fill = Callable[[np.ndarray], Task[None]]
"""evaluates the samples that are wanted and not known yet"""


class Grid:
    """The samples of a region."""

    def __init__(self, aabb: np.ndarray, resolution: int) -> None:
        """Divide ``aabb`` [2, 3] into ``resolution`` cells along its longest side."""
        self.origin = aabb[0]
        size = aabb[1] - aabb[0]
        self.n_cells = np.maximum(1, np.rint(size / size.max() * resolution)).astype(int)
        self.spacing = size / self.n_cells
        """[3], nearly the same on all axes, so that all of the region is covered"""
        self.cell = float(self.spacing.max())

    def positions(self, index: np.ndarray) -> np.ndarray:
        """[N, 3] coordinates of (possibly fractional) sample numbers [N, 3]."""
        return self.origin + index * self.spacing


def search_near_surface(
    values: np.ndarray,
    needed: np.ndarray,
    side: np.ndarray,
    bricks: tuple[int, ...],
    length: float,
    fill: Fill,
) -> Task[np.ndarray]:
    """Evaluate samples coarse to fine, only where the surface can be.

    Args:
        values: [I, J, K], NaN where not known; ``fill`` writes to it.
        needed: [I, J, K] bool, where the surface can be.
        side: [I, J, K] int8, +1 or -1 where it cannot; this function adds to it.
        bricks: samples along the bricks of each pass, descending to 1.
        length: from sample to sample.
        fill: evaluates samples.

    Returns:
        [I, J, K] bool, where the surface still can be.
    """
    shape, start = np.array(values.shape), np.zeros(3, int)
    for brick in bricks:
        corners = np.ix_(*(brick_edges(m - 1, brick) for m in values.shape))
        at_corner = np.zeros(values.shape, bool)
        at_corner[corners] = True
        yield from fill(needed & at_corner)
        if brick > 1:
            after, before = adjacent_bricks(shape, start, brick)
            known = np.where(needed[corners], values[corners], np.nan)
            sign = np.nan_to_num(np.sign(known)).astype(np.int8)[np.ix_(*after)]
            np.copyto(side, sign, where=sign != 0)
            needed = samples_of_bricks(may_contain_surface(known, brick * length), after, before)
    return needed


def brick_edges(n_cells: int, brick: int) -> np.ndarray:
    """Sample numbers between bricks along an axis; the last brick may be thinner."""
    return np.append(np.arange(0, n_cells, brick), n_cells)


def may_contain_surface(corners: np.ndarray, side: float) -> np.ndarray:
    """Find the bricks that the surface can cross, by the SDF at their corners.

    A point of a brick is at most half its diagonal from the nearest corner, so a brick whose
    corners are all further than that times `MAX_SLOPE` from zero, on one side, is free. A brick
    with an unknown corner (NaN) is known to be free.

    Args:
        corners: [I + 1, J + 1, K + 1] the SDF, or NaN.
        side: length of a brick.

    Returns:
        [I, J, K] bool.
    """
    lowest = highest = corners[:-1, :-1, :-1]
    for i, j, k in np.ndindex(2, 2, 2):
        corner = corners[i : i - 1 or None, j : j - 1 or None, k : k - 1 or None]
        lowest, highest = np.minimum(lowest, corner), np.maximum(highest, corner)
    reach = MAX_SLOPE * np.sqrt(3) / 2 * side
    return (lowest <= reach) & (highest >= -reach)


def adjacent_bricks(
    shape: np.ndarray, begin: np.ndarray, brick: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Per axis, the number of the brick after and before each sample from ``begin`` on.

    They differ only where a sample lies between two bricks.
    """
    numbers: list[np.ndarray] = [b + np.arange(m) for b, m in zip(begin, shape)]
    return [i // brick for i in numbers], [(i - 1) // brick for i in numbers]


def samples_of_bricks(
    occupied: np.ndarray, after: list[np.ndarray], before: list[np.ndarray]
) -> np.ndarray:
    """Find the samples that belong to an occupied brick, those on its boundary included."""
    needed = np.pad(occupied, 1)  # no bricks beyond the ends
    for axis in range(3):
        one, other = after[axis] + 1, before[axis] + 1
        needed = needed.take(one, axis) | needed.take(other, axis)
    return needed
