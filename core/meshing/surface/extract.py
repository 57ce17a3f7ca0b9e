"""Marching cubes, block by block, over the space that the surface can cross.

Free space is samples coarse to fine: first in bricks of many cells over the whole region, then in
smaller ones within a *block*, the input of one call of marching cubes. Bricks do not depend on
blocks, so the surface does not either. Blocks follow each other in slabs across the first axis, and
finished ones are spilled to disk, so that neither the volume nor the surface needs to be in memory.
"""
# PyMCubes has no type stubs
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import cast

import mcubes
import numpy as np

from core.base.jobs import Progress, Task, run_in_thread
from core.base.shapes import check_shapes
from core.base.text import NO_TEXT, Text, text
from core.geometry.scene_ball import Ball
from core.meshing.mesh import Mesh
from core.meshing.spill_array import SpillArray, Ts
from core.meshing.surface.grid import (
    Grid,
    adjacent_bricks,
    brick_edges,
    may_contain_surface,
    samples_of_bricks,
    search_near_surface,
)
from core.meshing.surface.weld import BlockSurface, SlabWelder, block_surface

BRICK = 8
"""cells along a brick"""
REGION_SEARCH = (8, 4, 2, 1)
"""sides, in bricks, of the ever smaller cubes in which the region is searched"""
BLOCK_SEARCH = (4, 2, 1)
"""sides, in cells, of the cubes in which a block is searched"""
POINTS_PER_CALL = 2**16
"""of the SDF: about 0.05 s of a trained field on two cores"""
CLEARANCE = 1e-3
"""of a cell, by which samples are held off zero; else several edges that meet in a sample would
each get a vertex in the very same place"""

SdfFunction = Callable[[np.ndarray], np.ndarray]
"""Points [N, 3] float32 to signed distances [N], negative inside."""
Index = tuple[int, int, int]
"""of a brick along the three axes"""


def extract(
    sdf: SdfFunction,
    aabb: np.ndarray,
    resolution: int,
    *,
    ball: Ball | None = None,
    block: int = 64,
) -> Task[Mesh]:
    """Extract the zero level of ``sdf`` as a welded mesh.

    Marching cubes: Lorensen and Cline 1987; free space is skipped by the slope of the SDF. Vertices
    and faces come in the order of their cells, in arrays that are on disk where they are large
    (`SpillArray`). At the faces of ``aabb`` and outside ``ball`` the surface is cut open, never
    capped.

    Args:
        sdf: negative inside.
        aabb: [2, 3] the region; the mesh is in its frame.
        resolution: cells along its longest side.
        ball: outside of it nothing is extracted.
        block: cells along a block, a multiple of `BRICK`; it changes memory, not the surface.

    Raises:
        ValueError: ``resolution``, ``block`` or the shape of ``aabb`` is wrong.
        UserError: neither memory nor the disk has room.
    """
    check_shapes(aabb=(aabb, "2 3"))
    if resolution < 1 or block % BRICK:
        raise ValueError(f"resolution: wanted >= 1, got {resolution}; block: multiple of {BRICK}")
    grid = Grid(np.asarray(aabb, np.float64), resolution)
    side, occupied = yield from _find_occupied(sdf, grid, ball)
    weld = SlabWelder(grid, ball)
    blocks = list(_occupied_blocks(occupied, block // BRICK))
    planes: dict[tuple[int, Index], np.ndarray] = {}
    now = Progress(0.1)
    for first, numbers in groupby(range(len(blocks)), lambda number: blocks[number][0]):
        slab: list[BlockSurface] = []
        for number in numbers:
            now = Progress(
                0.1 + 0.9 * number / len(blocks),
                text("extracting block {number}", number=number + 1),
            )
            task = _march_block(sdf, grid, side, occupied, block, blocks[number], planes, now)
            slab.append((yield from task))
            yield now
        end = min(first * BRICK + block, int(grid.n_cells[0]))
        yield from run_in_thread(lambda slab=slab, end=end: weld.add(slab, end), now)
    return (yield from run_in_thread(weld.mesh, Progress(1.0, text("welding the blocks"))))


def evaluate_in_batches(
    function: Callable[[*Ts], np.ndarray],
    *arrays: *Ts,
    start: float = 0.0,
    end: float = 1.0,
    detail: Text = NO_TEXT,
) -> Task[np.ndarray]:
    """Evaluate ``function`` on the rows of ``arrays``, `POINTS_PER_CALL` at a time.

    Args:
        function: of as many arrays as there are, with one result per row.
        *arrays: of equal length.
        start: progress at the begin.
        end: progress at the end.
        detail: shown meanwhile.

    Returns:
        The results of all rows.
    """
    call, inputs = cast(Callable[..., np.ndarray], function), cast(tuple[np.ndarray, ...], arrays)
    n, results = len(inputs[0]), SpillArray()
    for i in range(0, n, POINTS_PER_CALL):
        results.append(np.asarray(call(*(rows[i : i + POINTS_PER_CALL] for rows in inputs))))
        yield Progress(start + (end - start) * min(1.0, (i + POINTS_PER_CALL) / n), detail)
    return results.array() if n else np.zeros(0)


def _find_occupied(
    sdf: SdfFunction, grid: Grid, ball: Ball | None
) -> Task[tuple[np.ndarray, np.ndarray]]:
    """Find which bricks the surface can cross.

    Returns:
        The side of the surface, +1 or -1, of the corners of all bricks, and the occupied bricks.
    """
    axes = [brick_edges(n, BRICK) for n in grid.n_cells]
    values = np.full([len(axis) for axis in axes], np.nan)
    side = np.ones(values.shape, np.int8)

    def fill(wanted: np.ndarray) -> Task[None]:
        index = np.nonzero(wanted & np.isnan(values))
        points = grid.positions(np.stack([a[i] for a, i in zip(axes, index)], 1))
        samples = yield from evaluate_in_batches(
            sdf,
            points.astype(np.float32),
            start=0.05,
            end=0.05,
            detail=text("searching for the surface"),
        )
        values[index] = _clear_of_zero(samples, grid)

    length = BRICK * grid.cell
    needed = yield from search_near_surface(
        values, np.ones(values.shape, bool), side, REGION_SEARCH, length, fill
    )
    np.copyto(side, np.sign(np.nan_to_num(values)).astype(np.int8), where=needed)
    occupied = may_contain_surface(np.where(needed, values, np.nan), length)
    if ball is not None:
        center, radius = ball
        ends = [o + axis * s for o, axis, s in zip(grid.origin, axes, grid.spacing)]
        x, y, z = ((np.clip(c, e[:-1], e[1:]) - c) ** 2 for c, e in zip(center, ends))
        occupied &= x[:, None, None] + y[:, None] + z < radius**2
    return side, occupied


def _march_block(
    sdf: SdfFunction,
    grid: Grid,
    side: np.ndarray,
    occupied: np.ndarray,
    block: int,
    first: Index,
    planes: dict[tuple[int, Index], np.ndarray],
    now: Progress,
) -> Task[BlockSurface]:
    """Extract the surface in the block that starts at the brick ``first``.

    Samples between two blocks are evaluated once and passed on in ``planes``: a field may differ in
    its last bits in another batch, and a sign that differs would tear the surface.
    """
    begin = np.array(first) * BRICK
    n = np.minimum(block, grid.n_cells - begin)
    values = np.full(n + 1, np.nan)
    for axis in range(3):
        plane = planes.pop((axis, first), None)
        if plane is not None:
            lower = np.moveaxis(values, axis, 0)[0]
            lower[...] = np.where(np.isnan(plane), lower, plane)
    yield from _sample_block(sdf, grid, side, occupied, begin, values, now)
    for axis in range(3):
        neighbour = list(first)
        neighbour[axis] += block // BRICK
        key = (axis, (neighbour[0], neighbour[1], neighbour[2]))
        planes[key] = np.moveaxis(values, axis, 0)[-1].copy()
    vertices, faces = mcubes.marching_cubes(values, 0.0)
    return block_surface(vertices, faces, values, begin, grid)


def _sample_block(
    sdf: SdfFunction,
    grid: Grid,
    side: np.ndarray,
    occupied: np.ndarray,
    begin: np.ndarray,
    values: np.ndarray,
    now: Progress,
) -> Task[None]:
    """Fill ``values`` [n + 1], the samples from ``begin`` on.

    They are the SDF wherever the surface can be near, +1 or -1 elsewhere.
    """
    after, before = adjacent_bricks(np.array(values.shape), begin, BRICK)
    side = side[np.ix_(*after)]

    def fill(wanted: np.ndarray) -> Task[None]:
        index = np.argwhere(wanted & np.isnan(values))
        points = grid.positions(index + begin).astype(np.float32)
        samples = yield from evaluate_in_batches(
            sdf, points, start=now.fraction, end=now.fraction, detail=now.detail
        )
        values[tuple(index.T)] = _clear_of_zero(samples, grid)

    needed = samples_of_bricks(occupied, after, before)
    yield from search_near_surface(values, needed, side, BLOCK_SEARCH, grid.cell, fill)
    np.copyto(values, side, where=np.isnan(values))


def _occupied_blocks(occupied: np.ndarray, n: int) -> Iterator[Index]:
    """First brick of every block of n³ bricks that contains an occupied one, in order."""
    bricks = np.argwhere(occupied) // n * n
    for first in np.unique(bricks, axis=0).tolist():
        yield first[0], first[1], first[2]


def _clear_of_zero(values: np.ndarray, grid: Grid) -> np.ndarray:
    """Keep ``values`` away from zero by `CLEARANCE`, and finite."""
    clearance = CLEARANCE * grid.cell
    values = np.asarray(values, np.float64).reshape(-1)
    values = np.nan_to_num(values, nan=1.0, posinf=1.0, neginf=-1.0)  # a field that diverged
    return np.where(values < 0, np.minimum(values, -clearance), np.maximum(values, clearance))
