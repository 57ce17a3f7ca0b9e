"""Marching cubes, block by block, over the space that the surface can cross.

Letters: the region is cut into *cells* (the finest cubes) between *samples*; a *brick* is a cube
of cells in which space is found free, first of `BRICK` cells a side, then, within a block, of
those in `FINER`; a *block* is what one call of marching cubes sees. Bricks do not depend on blocks,
so the surface does not either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import mcubes
import numpy as np

from core.geometry.scene_box import Ball
from core.meshing.clean import without_unused_vertices
from core.meshing.mesh import Mesh
from core.tasks import Progress, Task, in_background

BRICK = 8
FINER = (4, 2)
BATCH = 2**16  # points per call of the sdf: about 0.05 s of a trained field on two cores
MAX_SLOPE = 2.0  # no surface is lost while |∇sdf| stays below this
# Samples are held off zero by this fraction of a cell, else several edges that meet in a sample
# would each get a vertex in the very same place.
CLEARANCE = 1e-3

Sdf = Callable[[np.ndarray], np.ndarray]  # points [N, 3] float32 -> [N]
Index = tuple[int, int, int]


@dataclass(frozen=True)
class _Part:
    """The surface of a block, as small as it can be kept until all are there: each vertex lies on
    one edge between two samples, so the number of that edge, ``edges`` [V] int64, is its name, and
    ``along`` [V] float64 its place on it; ``faces`` [F, 3] int32."""

    edges: np.ndarray
    along: np.ndarray
    faces: np.ndarray


def extract(
    sdf: Sdf,
    aabb: np.ndarray,  # [2, 3]
    resolution: int,
    *,
    ball: Ball | None = None,
    block: int = 64,
) -> Task[Mesh]:
    """The zero level of ``sdf`` within ``aabb`` as a welded mesh, in the frame of both.

    ``resolution``: cells along the longest side. What lies beyond ``ball`` is left out; there, and
    at the faces of ``aabb``, the surface is cut open, never capped.
    ``block``: cells along a block, a multiple of `BRICK`; it changes memory, not the surface.
    Marching cubes: Lorensen and Cline 1987; free space is skipped by the slope of the sdf.
    """
    if resolution < 1 or block % BRICK:
        raise ValueError(f"resolution: wanted >= 1, got {resolution}; block: multiple of {BRICK}")
    grid = _Grid(np.asarray(aabb, np.float64), resolution)
    coarse, occupied = yield from _find_occupied(sdf, grid, ball)
    parts = yield from _march_blocks(sdf, grid, coarse, occupied, block)
    vertices, faces = yield from in_background(
        lambda: _weld(parts, grid), Progress(1.0, "joining the blocks")
    )
    if ball is not None:
        center, radius = ball
        inside = ((vertices - center) ** 2).sum(1) < radius**2
        faces = faces[inside[faces].all(1)]
    return without_unused_vertices(Mesh(vertices, faces))


def evaluate(function: Callable, *arrays: np.ndarray, start=0.0, end=1.0, detail="") -> Task:
    """``function`` over rows of ``arrays``, `BATCH` at a time, with progress from ``start`` to
    ``end``; returns the concatenated result (None for no rows)."""
    n, results = len(arrays[0]), []
    for i in range(0, n, BATCH):
        results.append(np.asarray(function(*(a[i : i + BATCH] for a in arrays))))
        yield Progress(start + (end - start) * min(1.0, (i + BATCH) / n), detail)
    return np.concatenate(results) if results else None


class _Grid:
    """Samples are numbered [i, j, k] from the lower corner of the region."""

    def __init__(self, aabb: np.ndarray, resolution: int) -> None:
        self.origin = aabb[0]
        size = aabb[1] - aabb[0]
        self.n_cells = np.maximum(1, np.rint(size / size.max() * resolution)).astype(int)
        self.spacing = size / self.n_cells  # nearly the same on all axes, so that all is covered
        self.cell = float(self.spacing.max())
        self.n_bricks = -(-self.n_cells // BRICK)

    def positions(self, index: np.ndarray) -> np.ndarray:
        """[N, 3] coordinates of (possibly fractional) sample numbers [N, 3]."""
        return self.origin + index * self.spacing


def _find_occupied(
    sdf: Sdf, grid: _Grid, ball: Ball | None
) -> Task[tuple[np.ndarray, np.ndarray]]:
    """The sdf at the corners of all bricks, and which bricks the surface can cross."""
    axes = [_corners(n, BRICK) for n in grid.n_cells]
    index = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    points = grid.positions(index).astype(np.float32)
    values = yield from evaluate(sdf, points, end=0.2, detail="finding the surface")
    coarse = _off_zero(values, grid).reshape([len(axis) for axis in axes])
    occupied = _crossed(coarse, BRICK * grid.cell)
    if ball is not None:
        center, radius = ball
        lower = np.stack(np.meshgrid(*(a[:-1] for a in axes), indexing="ij"), -1)
        upper = np.stack(np.meshgrid(*(a[1:] for a in axes), indexing="ij"), -1)
        nearest = np.clip(center, grid.positions(lower), grid.positions(upper))
        occupied &= ((nearest - center) ** 2).sum(-1) < radius**2
    return coarse, occupied


def _corners(n_cells: int, brick: int) -> np.ndarray:
    """Sample numbers between bricks along an axis; the last brick may be thinner."""
    return np.append(np.arange(0, n_cells, brick), n_cells)


def _crossed(corners: np.ndarray, side: float) -> np.ndarray:
    """Which bricks of length ``side`` the surface can cross, by the sdf at their corners; a brick
    with an unknown corner (NaN) is known to be free.

    A point of a brick is at most half its diagonal from the nearest corner, so a brick whose
    corners are all further than that times `MAX_SLOPE` from zero, on one side, is free.
    """
    eight = np.stack([
        corners[i : i - 1 or None, j : j - 1 or None, k : k - 1 or None]
        for i in (0, 1) for j in (0, 1) for k in (0, 1)
    ])
    lowest, highest = eight.min(0), eight.max(0)
    reach = MAX_SLOPE * np.sqrt(3) / 2 * side
    return (lowest <= reach) & (highest >= -reach)


def _march_blocks(
    sdf: Sdf, grid: _Grid, coarse: np.ndarray, occupied: np.ndarray, block: int
) -> Task[list[_Part]]:
    """The surface in each block. Samples between two blocks are evaluated once and handed on, since
    a field may answer with other last bits in another batch, and a sign that differs would tear the
    surface."""
    planes: dict[tuple[int, Index], np.ndarray] = {}
    parts: list[_Part] = []
    blocks = list(_occupied_blocks(occupied, block // BRICK))
    for number, first_brick in enumerate(blocks):
        begin = np.array(first_brick) * BRICK
        n = np.minimum(block, grid.n_cells - begin)
        values = np.full(n + 1, np.nan)
        for axis in range(3):
            plane = planes.pop((axis, first_brick), None)
            if plane is not None:
                lower = np.moveaxis(values, axis, 0)[0]
                lower[...] = np.where(np.isnan(plane), lower, plane)
        now = Progress(0.2 + 0.8 * number / len(blocks), f"cutting block {number + 1}")
        side = yield from _sample_block(sdf, grid, coarse, occupied, begin, values, now)
        for axis in range(3):
            neighbour = list(first_brick)
            neighbour[axis] += block // BRICK
            key = (axis, (neighbour[0], neighbour[1], neighbour[2]))
            planes[key] = np.moveaxis(values, axis, 0)[-1].copy()
        vertices, faces = mcubes.marching_cubes(np.where(np.isnan(values), side, values), 0.0)
        parts.append(_named(vertices, faces[:, ::-1], begin, grid))  # it winds inward
        yield now
    return parts


def _sample_block(
    sdf: Sdf,
    grid: _Grid,
    coarse: np.ndarray,
    occupied: np.ndarray,
    begin: np.ndarray,
    values: np.ndarray,
    now: Progress,
) -> Task[np.ndarray]:
    """Fill ``values`` [n + 1], samples from ``begin`` on, wherever a brick is crossed; returns
    +1 or -1 for each sample, the side on which the free ones lie."""
    after, before = _bricks_beside(np.array(values.shape), begin, BRICK)
    side = np.sign(coarse[np.ix_(*after)])
    needed = _touching(occupied, after, before)

    def fill(wanted: np.ndarray) -> Task[None]:
        index = np.argwhere(wanted & np.isnan(values))
        points = grid.positions(index + begin).astype(np.float32)
        found = yield from evaluate(sdf, points, start=now.fraction, end=now.fraction,
                                    detail=now.detail)
        if found is not None:
            values[tuple(index.T)] = _off_zero(found, grid)

    for brick in FINER:
        corners = np.ix_(*(_corners(m - 1, brick) for m in values.shape))
        at_corner = np.zeros(values.shape, bool)
        at_corner[corners] = True
        yield from fill(needed & at_corner)
        after, before = _bricks_beside(np.array(values.shape), np.zeros(3, int), brick)
        known = np.where(needed[corners], values[corners], np.nan)
        sign = np.sign(known[np.ix_(*after)])
        side = np.where(np.isnan(sign), side, sign)
        needed = _touching(_crossed(known, brick * grid.cell), after, before)
    yield from fill(needed)
    return side


def _occupied_blocks(occupied: np.ndarray, n: int) -> Iterator[Index]:
    """First brick of every block of n³ bricks that holds an occupied one, in order."""
    bricks = np.argwhere(occupied) // n * n
    for first in np.unique(bricks, axis=0).tolist():
        yield first[0], first[1], first[2]


def _bricks_beside(
    shape: np.ndarray, begin: np.ndarray, brick: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Per axis, the number of the brick after and before each sample from ``begin`` on; they
    differ only where a sample lies between two bricks."""
    numbers = [b + np.arange(m) for b, m in zip(begin, shape)]
    return [i // brick for i in numbers], [(i - 1) // brick for i in numbers]


def _touching(
    occupied: np.ndarray, after: list[np.ndarray], before: list[np.ndarray]
) -> np.ndarray:
    """Which samples belong to an occupied brick, those on its boundary included."""
    needed = np.pad(occupied, 1)  # no bricks beyond the ends
    for axis in range(3):
        one, other = after[axis] + 1, before[axis] + 1
        needed = needed.take(one, axis) | needed.take(other, axis)
    return needed


def _off_zero(values: np.ndarray, grid: _Grid) -> np.ndarray:
    clearance = CLEARANCE * grid.cell
    values = np.asarray(values, np.float64).reshape(-1)
    values = np.nan_to_num(values, nan=1.0, posinf=1.0, neginf=-1.0)  # a field gone astray
    return np.where(values < 0, np.minimum(values, -clearance), np.maximum(values, clearance))


def _named(
    vertices: np.ndarray, faces: np.ndarray, begin: np.ndarray, grid: _Grid
) -> _Part:
    """``vertices`` [V, 3] are in sample numbers of the block that starts at ``begin``."""
    lower = np.floor(vertices)
    along = vertices - lower
    axis = along.argmax(1)
    index = lower.astype(np.int64) + begin
    edges = np.asarray(np.ravel_multi_index((*index.T, axis), (*(grid.n_cells + 1), 3)))
    return _Part(edges, along[np.arange(len(axis)), axis], faces.astype(np.int32))


def _weld(parts: list[_Part], grid: _Grid) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [V, 3] in the grid's frame and faces [F, 3] int32 of all ``parts``, which are taken
    apart on the way, as one mesh: where blocks touch, both have named the same edges."""
    edges = np.concatenate([part.edges for part in parts] or [np.zeros(0, np.int64)])
    along = np.concatenate([part.along for part in parts] or [np.zeros(0)])
    edges, first, inverse = np.unique(edges, return_index=True, return_inverse=True)
    inverse, along = inverse.reshape(-1).astype(np.int32), along[first]
    faces = np.empty((sum(len(part.faces) for part in parts), 3), np.int32)
    start = offset = 0
    parts.reverse()
    while parts:
        part = parts.pop()
        faces[start : start + len(part.faces)] = inverse[offset:][part.faces]
        start += len(part.faces)
        offset += len(part.edges)
    *lower, axis = np.unravel_index(edges, (*(grid.n_cells + 1), 3))
    vertices = np.stack(lower, 1).astype(np.float64)
    vertices[np.arange(len(axis)), axis] += along
    return grid.positions(vertices), faces
