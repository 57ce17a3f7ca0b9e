"""The surfaces of blocks joined into one mesh, slab by slab, in the order of cells and edges.

Each vertex of marching cubes lies on one edge between two samples, whose number is its name: where
blocks touch, both have named the same edges. The names of a plane of samples between two slabs come
before all that lie beyond it, so that a slab's vertices can be numbered, and written away, as soon
as the next slab is there.
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
class Part:
    """The surface of a block: ``edges`` [V] int64 names of its vertices and ``along`` [V] float64
    their places on these; ``faces`` [F, 3] int32, and ``cells`` [F] int64, the numbers of theirs,
    rising."""

    edges: np.ndarray
    along: np.ndarray
    faces: np.ndarray
    cells: np.ndarray


def named(
    vertices: np.ndarray, faces: np.ndarray, values: np.ndarray, begin: np.ndarray, grid: Grid
) -> Part:
    """What marching cubes found in ``values``, samples of the block from ``begin`` on: ``vertices``
    [V, 3] in their numbers, ``faces`` [F, 3] that wind inward."""
    lower = np.floor(vertices).astype(np.int64)
    axis = (vertices - lower).argmax(1)
    upper = lower.copy()
    upper[np.arange(len(axis)), axis] += 1
    one, other = values[tuple(lower.T)], values[tuple(upper.T)]
    cells = np.floor(vertices[faces].mean(1)).astype(np.int64) + begin
    return Part(
        _name(lower + begin, axis, grid),
        one / (one - other),
        faces[:, ::-1].astype(np.int32),
        np.asarray(np.ravel_multi_index(tuple(cells.T), tuple(grid.n_cells))),
    )


class Weld:
    """Takes the parts of slabs, in order; what lies beyond ``ball`` is left out."""

    def __init__(self, grid: Grid, ball: Ball | None) -> None:
        self._grid, self._ball = grid, ball
        self._vertices, self._faces = SpillArray(), SpillArray()
        self._faces.append(np.zeros((0, 3), np.int32))
        self._vertices.append(np.zeros((0, 3)))
        self._n = 0
        self._open = np.zeros(0, np.int64), np.zeros(0)
        """names and places of vertices that the next slab may know of too"""
        self._done = np.zeros(0, np.int64)
        """names of the vertices written last, which are numbered from ``_start`` on"""
        self._start = 0
        self._last = np.zeros((0, 3), np.int64)
        """faces of the last slab, by names"""

    def add(self, parts: Sequence[Part], end: int) -> None:
        """The parts of a slab that ends at the sample ``end`` of the first axis."""
        found = [self._within(part) for part in parts]
        self._finish(
            np.concatenate([self._open[0], *(part.edges for part in found)]),
            np.concatenate([self._open[1], *(part.along for part in found)]),
            int(_name(np.array([[end, 0, 0]]), np.array([1]), self._grid)[0]),
        )
        order = np.argsort(np.concatenate([part.cells for part in found]), kind="stable")
        self._last = np.concatenate([part.edges[part.faces] for part in found])[order]

    def mesh(self) -> Mesh:
        """All of it; nothing can be added afterwards."""
        self._finish(*self._open, np.iinfo(np.int64).max)
        return Mesh(self._vertices.array(), self._faces.array())

    def _finish(self, edges: np.ndarray, along: np.ndarray, limit: int) -> None:
        """Number and write the vertices with names below ``limit``, and the last slab's faces."""
        edges, first = np.unique(edges, return_index=True)
        along = along[first]
        n = int(np.searchsorted(edges, limit))
        self._vertices.append(_places(edges[:n], along[:n], self._grid))
        names = np.concatenate([self._done, edges[:n]])
        numbers = self._start + np.searchsorted(names, self._last)
        self._faces.append(numbers.astype(np.int32))
        self._start += len(self._done)
        self._done, self._open = edges[:n], (edges[n:], along[n:])

    def _within(self, part: Part) -> Part:
        """What of ``part`` lies in the ball, without unused vertices."""
        faces, cells = part.faces, part.cells
        if self._ball is not None:
            center, radius = self._ball
            places = _places(part.edges, part.along, self._grid)
            inside = (((places - center) ** 2).sum(1) < radius**2)[faces].all(1)
            faces, cells = faces[inside], cells[inside]
        used = np.zeros(len(part.edges), bool)
        used[faces] = True
        return Part(part.edges[used], part.along[used], (np.cumsum(used) - 1)[faces], cells)


def _name(lower: np.ndarray, axis: np.ndarray, grid: Grid) -> np.ndarray:
    """[N] of the edges along ``axis`` [N] from the samples ``lower`` [N, 3] on."""
    i, j, k = lower.T
    return np.asarray(np.ravel_multi_index((i, axis == 0, j, k, axis), _shape(grid)))


def _places(edges: np.ndarray, along: np.ndarray, grid: Grid) -> np.ndarray:
    """[N, 3] float64 positions of vertices."""
    i, _, j, k, axis = np.unravel_index(edges, _shape(grid))
    index = np.stack([i, j, k], 1).astype(np.float64)
    index[np.arange(len(axis)), axis] += along
    return grid.positions(index)


def _shape(grid: Grid) -> tuple[int, ...]:
    i, j, k = grid.n_cells + 1
    return int(i), 2, int(j), int(k), 3
