"""Marching cubes, block by block, over the space that the surface can cross.

Letters: the region is cut into *cells* (the finest cubes) between *samples*; a *brick* is
`BRICK`³ cells, the unit in which space is found free; a *block* is what one call of marching
cubes sees. Bricks do not depend on blocks, so the surface does not either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import mcubes
import numpy as np

from core.meshing.clean import without_unused_vertices
from core.meshing.mesh import Mesh
from core.tasks import Progress, Task

BRICK = 8
BATCH = 2**16  # points per call of the sdf: about 0.05 s of a trained field on two cores
MAX_SLOPE = 2.0  # no surface is lost while |∇sdf| stays below this
# Samples are held off zero by this fraction of a cell, else several edges that meet in a sample
# would each get a vertex in the very same place.
CLEARANCE = 1e-3

Sdf = Callable[[np.ndarray], np.ndarray]  # points [N, 3] float32 -> [N]
Index = tuple[int, int, int]


def extract(
    sdf: Sdf,
    aabb: np.ndarray,  # [2, 3]
    resolution: int,
    *,
    inside_ball: bool = True,
    block: int = 64,
) -> Task[Mesh]:
    """The zero level of ``sdf`` within ``aabb`` (scene frame) as a welded mesh.

    ``resolution``: cells along the longest side. ``inside_ball`` leaves out what lies beyond the
    unit ball; there, and at the faces of ``aabb``, the surface is cut open, never capped.
    ``block``: cells along a block, a multiple of `BRICK`; it changes memory, not the surface.
    Marching cubes: Lorensen and Cline 1987; free space is skipped by the slope of the sdf.
    """
    if resolution < 1 or block % BRICK:
        raise ValueError(f"resolution: wanted >= 1, got {resolution}; block: multiple of {BRICK}")
    grid = _Grid(np.asarray(aabb, np.float64), resolution)
    coarse, occupied = yield from _find_occupied(sdf, grid, inside_ball)
    parts = yield from _march_blocks(sdf, grid, coarse, occupied, block)
    vertices, faces = _weld(parts, grid)
    if inside_ball:
        inside = (vertices**2).sum(1) < 1
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
        self.cell = float((aabb[1] - aabb[0]).max()) / resolution
        self.n_cells = np.maximum(1, np.ceil((aabb[1] - aabb[0]) / self.cell - 1e-6)).astype(int)
        self.n_bricks = -(-self.n_cells // BRICK)

    def positions(self, index: np.ndarray) -> np.ndarray:
        """[N, 3] scene coordinates of (possibly fractional) sample numbers [N, 3]."""
        return self.origin + index * self.cell


def _find_occupied(
    sdf: Sdf, grid: _Grid, inside_ball: bool
) -> Task[tuple[np.ndarray, np.ndarray]]:
    """The sdf at the corners of all bricks, and which bricks the surface can cross.

    A point of a brick is at most half its diagonal from the nearest corner, so a brick whose
    corners are all further than that times `MAX_SLOPE` from zero, on one side, is free.
    """
    axes = [np.minimum(np.arange(n + 1) * BRICK, m) for n, m in zip(grid.n_bricks, grid.n_cells)]
    index = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    points = grid.positions(index).astype(np.float32)
    values = yield from evaluate(sdf, points, end=0.2, detail="finding the surface")
    coarse = _off_zero(values, grid).reshape(grid.n_bricks + 1)
    corners = np.stack([
        coarse[i : i + grid.n_bricks[0], j : j + grid.n_bricks[1], k : k + grid.n_bricks[2]]
        for i in (0, 1) for j in (0, 1) for k in (0, 1)
    ])
    reach = MAX_SLOPE * np.sqrt(3) / 2 * BRICK * grid.cell
    occupied = (np.abs(corners).min(0) <= reach) | ((corners < 0).any(0) & (corners > 0).any(0))
    if inside_ball:
        lower = np.stack(np.meshgrid(*(a[:-1] for a in axes), indexing="ij"), -1)
        upper = np.stack(np.meshgrid(*(a[1:] for a in axes), indexing="ij"), -1)
        nearest = np.clip(0.0, grid.positions(lower), grid.positions(upper))
        occupied &= (nearest**2).sum(-1) < 1
    return coarse, occupied


def _march_blocks(
    sdf: Sdf, grid: _Grid, coarse: np.ndarray, occupied: np.ndarray, block: int
) -> Task[list[tuple[np.ndarray, np.ndarray]]]:
    """Per block: vertices [V, 3] in sample numbers of the whole grid, and faces [F, 3].

    Samples between two blocks are evaluated once and handed on, since a field may answer with
    other last bits in another batch, and a sign that differs would tear the surface.
    """
    planes: dict[tuple[int, Index], np.ndarray] = {}
    parts: list[tuple[np.ndarray, np.ndarray]] = []
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
        wanted = np.argwhere(_needed(occupied, first_brick, n) & np.isnan(values))
        points = grid.positions(wanted + begin).astype(np.float32)
        share = 0.8 / len(blocks)
        start = 0.2 + number * share
        detail = f"cutting block {number + 1} of {len(blocks)}"
        if len(wanted):
            fine = yield from evaluate(sdf, points, start=start, end=start + share, detail=detail)
            values[tuple(wanted.T)] = _off_zero(fine, grid)
        for axis in range(3):
            neighbour = list(first_brick)
            neighbour[axis] += block // BRICK
            key = (axis, (neighbour[0], neighbour[1], neighbour[2]))
            planes[key] = np.moveaxis(values, axis, 0)[-1].copy()
        side = _free_side(coarse, begin, n)
        vertices, faces = mcubes.marching_cubes(np.where(np.isnan(values), side, values), 0.0)
        parts.append((vertices + begin, faces[:, ::-1].astype(np.int64)))  # it winds inward
        yield Progress(start + share, detail)
    return parts


def _occupied_blocks(occupied: np.ndarray, n: int) -> Iterator[Index]:
    """First brick of every block of n³ bricks that holds an occupied one, in order."""
    bricks = np.argwhere(occupied) // n * n
    for first in np.unique(bricks, axis=0).tolist():
        yield first[0], first[1], first[2]


def _needed(occupied: np.ndarray, first_brick: Index, n: np.ndarray) -> np.ndarray:
    """[n + 1] bool: the block's samples that belong to an occupied brick (of any block: samples
    on a boundary belong to both sides)."""
    padded = np.pad(occupied, 1)
    needed = np.zeros(n + 1, bool)
    # The brick before and after a sample differ only where the sample lies between two bricks.
    after = [f + 1 + np.arange(m + 1) // BRICK for f, m in zip(first_brick, n)]
    before = [f + 1 + (np.arange(m + 1) - 1) // BRICK for f, m in zip(first_brick, n)]
    for choice in range(8):
        sides = [(after, before)[choice >> axis & 1][axis] for axis in range(3)]
        needed |= padded[np.ix_(*sides)]
    return needed


def _free_side(coarse: np.ndarray, begin: np.ndarray, n: np.ndarray) -> np.ndarray:
    """[n + 1] of +1 or -1: the side of the surface, for samples of free bricks."""
    corner = [(b + np.arange(m + 1)) // BRICK for b, m in zip(begin, n)]
    return np.sign(coarse[np.ix_(*corner)])


def _off_zero(values: np.ndarray, grid: _Grid) -> np.ndarray:
    clearance = CLEARANCE * grid.cell
    values = np.asarray(values, np.float64).reshape(-1)
    return np.where(values < 0, np.minimum(values, -clearance), np.maximum(values, clearance))


def _weld(
    parts: list[tuple[np.ndarray, np.ndarray]], grid: _Grid
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [V, 3] in the scene frame and faces [F, 3] int32 of all blocks as one mesh.

    Each vertex lies on one edge between two samples, so the edge is its name.
    """
    if not parts:
        return np.zeros((0, 3)), np.zeros((0, 3), np.int32)
    offsets = np.cumsum([0] + [len(v) for v, _ in parts[:-1]])
    faces = np.concatenate([f + offset for (_, f), offset in zip(parts, offsets)])
    vertices = np.concatenate([v for v, _ in parts])
    lower = np.floor(vertices).astype(np.int64)
    axis = (vertices - lower).argmax(1)
    edge = np.ravel_multi_index((*lower.T, axis), (*(grid.n_cells + 1), 3))
    _, first, inverse = np.unique(edge, return_index=True, return_inverse=True)
    return grid.positions(vertices[first]), inverse.reshape(-1)[faces].astype(np.int32)
