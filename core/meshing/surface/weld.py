"""The surfaces of blocks welded into one mesh, slab by slab, in the order of cells and edges.

Each vertex of marching cubes lies on one edge between two samples, whose number is its id: blocks
that touch use the same ids. The ids of a plane of samples between two slabs precede all that lie
beyond it, so that a slab's vertices can be numbered, and written, once the next slab is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.geometry.scene_ball import Ball
from core.meshing.mesh import Mesh
from core.meshing.spill_array import SpillArray
from core.meshing.surface.grid import Grid


@dataclass(frozen=True)
class BlockSurface:
    """The surface of a block."""

    edge_ids: np.ndarray
    """[V] int64 ids of the edges that the vertices lie on"""
    fractions: np.ndarray
    """[V] float64 positions along these edges, in [0, 1]"""
    faces: np.ndarray
    """[F, 3] int32 indices of vertices"""
    cells: np.ndarray
    """[F] int64 numbers of the faces' cells, ascending"""


def block_surface(
    vertices: np.ndarray, faces: np.ndarray, values: np.ndarray, begin: np.ndarray, grid: Grid
) -> BlockSurface:
    """Convert the result of marching cubes in one block.

    Args:
        vertices: [V, 3] in units of samples, from the block's first one.
        faces: [F, 3] that wind inward.
        values: samples of the block.
        begin: [3] number of its first sample.
        grid: of the whole region.
    """
    lower = np.floor(vertices).astype(np.int64)
    axis = (vertices - lower).argmax(1)
    upper = lower.copy()
    upper[np.arange(len(axis)), axis] += 1
    at_lower, at_upper = values[tuple(lower.T)], values[tuple(upper.T)]
    cells = np.floor(vertices[faces].mean(1)).astype(np.int64) + begin
    return BlockSurface(
        _edge_ids(lower + begin, axis, grid),
        at_lower / (at_lower - at_upper),
        faces[:, ::-1].astype(np.int32),
        np.asarray(np.ravel_multi_index(tuple(cells.T), tuple(grid.n_cells))),
    )


class SlabWelder:
    """Welds the surfaces of slabs, in order, leaving out what lies outside the ball."""

    def __init__(self, grid: Grid, ball: Ball | None) -> None:
        self._grid, self._ball = grid, ball
        self._vertices, self._faces = SpillArray(), SpillArray()
        self._faces.append(np.zeros((0, 3), np.int32))
        self._vertices.append(np.zeros((0, 3)))
        self._n = 0
        self._pending = np.zeros(0, np.int64), np.zeros(0)
        """ids and positions of vertices that the next slab may share"""
        self._written = np.zeros(0, np.int64)
        """names of the vertices written last, which are numbered from ``_start`` on"""
        self._n_before = 0
        self._last_faces = np.zeros((0, 3), np.int64)
        """faces of the last slab, by ids"""

    def add(self, parts: Sequence[BlockSurface], end: int) -> None:
        """Add the blocks of a slab that ends at the sample ``end`` of the first axis."""
        kept_parts = [self._inside_ball(part) for part in parts]
        self._write_below(
            np.concatenate([self._pending[0], *(part.edge_ids for part in kept_parts)]),
            np.concatenate([self._pending[1], *(part.fractions for part in kept_parts)]),
            int(_edge_ids(np.array([[end, 0, 0]]), np.array([1]), self._grid)[0]),
        )
        order = np.argsort(np.concatenate([part.cells for part in kept_parts]), kind="stable")
        self._last_faces = np.concatenate([part.edge_ids[part.faces] for part in kept_parts])[order]

    def mesh(self) -> Mesh:
        """The welded mesh; nothing can be added afterwards."""
        self._write_below(*self._pending, np.iinfo(np.int64).max)
        return Mesh(self._vertices.array(), self._faces.array())

    def _write_below(self, edge_ids: np.ndarray, fractions: np.ndarray, limit: int) -> None:
        """Number and write the vertices with ids below ``limit``, and the last slab's faces."""
        edge_ids, first = np.unique(edge_ids, return_index=True)
        fractions = fractions[first]
        n = int(np.searchsorted(edge_ids, limit))
        self._vertices.append(_positions(edge_ids[:n], fractions[:n], self._grid))
        ids = np.concatenate([self._written, edge_ids[:n]])
        numbers = self._n_before + np.searchsorted(ids, self._last_faces)
        self._faces.append(numbers.astype(np.int32))
        self._n_before += len(self._written)
        self._written, self._pending = edge_ids[:n], (edge_ids[n:], fractions[n:])

    def _inside_ball(self, part: BlockSurface) -> BlockSurface:
        """Keep the faces of ``part`` inside the ball, and the vertices that they use."""
        faces, cells = part.faces, part.cells
        if self._ball is not None:
            center, radius = self._ball
            positions = _positions(part.edge_ids, part.fractions, self._grid)
            inside = (((positions - center) ** 2).sum(1) < radius**2)[faces].all(1)
            faces, cells = faces[inside], cells[inside]
        used = np.zeros(len(part.edge_ids), bool)
        used[faces] = True
        return BlockSurface(
            part.edge_ids[used], part.fractions[used], (np.cumsum(used) - 1)[faces], cells
        )


def _edge_ids(lower: np.ndarray, axis: np.ndarray, grid: Grid) -> np.ndarray:
    """[N] ids of the edges along ``axis`` [N] from the samples ``lower`` [N, 3] on."""
    i, j, k = lower.T
    return np.asarray(np.ravel_multi_index((i, axis == 0, j, k, axis), _shape(grid)))


def _positions(edge_ids: np.ndarray, fractions: np.ndarray, grid: Grid) -> np.ndarray:
    """[N, 3] float64 positions of vertices."""
    i, _, j, k, axis = np.unravel_index(edge_ids, _shape(grid))
    index = np.stack([i, j, k], 1).astype(np.float64)
    index[np.arange(len(axis)), axis] += fractions
    return grid.positions(index)


def _shape(grid: Grid) -> tuple[int, ...]:
    """Axes of the numbering of edges: i, whether along the first axis, j, k, axis."""
    i, j, k = grid.n_cells + 1
    return int(i), 2, int(j), int(k), 3
