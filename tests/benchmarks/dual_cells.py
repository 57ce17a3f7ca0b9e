"""A surface whose vertices lie within cells instead of on their edges, made of what marching cubes
found: the experiment of `tests.benchmarks.dual`.

Letters: a *patch* is what marching cubes made of one sheet of the surface in one cell. Each becomes
a vertex, and each vertex of marching cubes the quad between the four patches around its edge.
Sources: Ju et al. 2002 (dual contouring: the vertex minimises the squared distances to the planes
where the surface crosses the cell's edges, a quadratic error function), Nielson 2004 (dual marching
cubes: a vertex per patch, not per cell).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from core.meshing.build import sdf_normals
from core.meshing.mesh import Mesh
from core.meshing.surface.grid import Grid

SdfFunction = Callable[[np.ndarray], np.ndarray]
STEPS = 5
"""of regula falsi along an edge"""
FLAT = 0.05
"""share of a cell's largest eigenvalue below which its planes do not say where the vertex lies"""
ROUND = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
"""cells around an edge, counter-clockwise seen from the end of its axis"""


def dual_surface(
    cut: Mesh, sdf: SdfFunction, grid: Grid, epsilon: float, *, per_patch: bool = True
) -> Mesh:
    """The dual of ``cut``, which marching cubes made of ``sdf`` on ``grid``, with normals by
    differences over ``epsilon``; ``per_patch`` False: one vertex a cell, as first published."""
    cell = _cells(cut, grid)
    patch, where = (_patches if per_patch else _whole_cells)(cut, cell)
    points = crossings(cut, sdf, grid)
    normals = sdf_normals(sdf, points.astype(np.float32), epsilon).astype(np.float64)
    pairs = np.unique(np.stack([cut.faces.ravel(), np.repeat(patch, 3)], 1), axis=0)
    vertices = _least(points, normals, pairs, len(where))
    low = grid.positions(where)
    vertices = np.clip(vertices, low, low + grid.spacing)
    return Mesh(vertices, _halved(_quads(cut, sdf, grid, pairs, where), vertices, points))


def _cells(cut: Mesh, grid: Grid) -> np.ndarray:
    """[F, 3] the cell of each face."""
    middle = cut.vertices[cut.faces].mean(1)
    return np.floor((middle - grid.origin) / grid.spacing).astype(np.int64)


def _whole_cells(cut: Mesh, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    where, patch = np.unique(cell, axis=0, return_inverse=True)
    return patch.reshape(-1), where


def _patches(cut: Mesh, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[F] the patch of each face, and [P, 3] the cell of each patch."""
    ends = np.sort(
        np.concatenate([cut.faces[:, [0, 1]], cut.faces[:, [1, 2]], cut.faces[:, [2, 0]]]), 1
    )
    number = np.tile(np.arange(len(cut.faces)), 3)
    order = np.lexsort((number, ends[:, 1], ends[:, 0]))
    ends, number = ends[order], number[order]
    one, other = number[:-1], number[1:]
    joined = (ends[1:] == ends[:-1]).all(1) & (cell[one] == cell[other]).all(1)
    links = coo_array(
        (np.ones(joined.sum()), (one[joined], other[joined])), shape=(len(cut.faces),) * 2
    )
    n, patch = connected_components(links, directed=False)
    where = np.zeros((n, 3), np.int64)
    where[patch] = cell
    return patch, where


def crossings(cut: Mesh, sdf: SdfFunction, grid: Grid) -> np.ndarray:
    """[V, 3] where the field is zero on each vertex's edge: marching cubes takes it for linear
    there, which it is not beside a crease."""
    axis, lower = _edges(cut, grid)
    ends = [grid.positions(lower), grid.positions(lower + np.eye(3)[axis])]
    values = [np.asarray(sdf(p.astype(np.float32)), np.float64).reshape(-1) for p in ends]
    points, before = cut.vertices, None
    for _ in range(STEPS):
        here = np.asarray(sdf(points.astype(np.float32)), np.float64).reshape(-1)
        same = (here < 0) == (values[0] < 0)
        # an end that stays again counts half, or regula falsi would creep (the Illinois rule)
        share = 1.0 if before is None else np.where(same == before, 0.5, 1.0)
        before = same
        for side, mine in enumerate((same, ~same)):
            ends[side] = np.where(mine[:, None], points, ends[side])
            values[side] = np.where(mine, here, values[side] * share)
        gap = values[0] - values[1]
        share = np.clip(np.divide(values[0], gap, out=np.full_like(gap, 0.5), where=gap != 0), 0, 1)
        points = ends[0] + share[:, None] * (ends[1] - ends[0])
    return points


def _edges(cut: Mesh, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """[V] the axis of the edge of each vertex, and [V, 3] its lower sample."""
    at = (cut.vertices - grid.origin) / grid.spacing
    axis = np.abs(at - np.rint(at)).argmax(1)
    lower = np.rint(at).astype(np.int64)
    own = np.arange(len(axis)), axis
    lower[own] = np.floor(at[own])
    return axis, lower


def _least(
    points: np.ndarray, normals: np.ndarray, pairs: np.ndarray, n_patches: int
) -> np.ndarray:
    """[P, 3] where the squared distances to the planes of a patch's vertices are least, and of
    several such places the nearest to the mean of these."""
    vertex, patch = pairs.T
    count = np.bincount(patch, minlength=n_patches)[:, None]

    def total(rows: np.ndarray) -> np.ndarray:
        return np.stack([np.bincount(patch, r, n_patches) for r in rows.T], 1)

    mean = total(points[vertex]) / count
    n = normals[vertex]
    height = (n * (points[vertex] - mean[patch])).sum(1, keepdims=True)
    matrix = total((n[:, :, None] * n[:, None, :]).reshape(-1, 9)).reshape(-1, 3, 3)
    values, axes = np.linalg.eigh(matrix)
    steep = values > FLAT * values[:, -1:]
    inverse = np.where(steep, 1 / np.where(steep, values, 1), 0)
    right = np.einsum("pij,pi->pj", axes, total(n * height))
    return mean + np.einsum("pij,pj->pi", axes, inverse * right)


def _quads(
    cut: Mesh, sdf: SdfFunction, grid: Grid, pairs: np.ndarray, where: np.ndarray
) -> np.ndarray:
    """[Q, 5]: the patches around each vertex of ``cut`` that has four, outward, and the vertex."""
    axis, lower = _edges(cut, grid)
    vertex, patch = pairs.T
    beside = where[patch] - lower[vertex] + 1  # 0 or 1 across the edge
    across = (axis[vertex, None] + [1, 2]) % 3
    corner = np.take_along_axis(beside, across, 1)
    place = (corner[:, None] == ROUND).all(2).argmax(1)
    around = np.full((len(cut.vertices), 4), -1)
    around[vertex, place] = patch
    back = np.asarray(sdf(grid.positions(lower).astype(np.float32))).reshape(-1) >= 0
    around[back] = around[back, ::-1]
    whole = np.flatnonzero((around >= 0).all(1))
    return np.concatenate([around[whole], whole[:, None]], 1)


def _halved(quads: np.ndarray, vertices: np.ndarray, points: np.ndarray) -> np.ndarray:
    """[2 Q, 3] quads cut along the diagonal that passes nearer to the surface."""
    a, b, c, d, crossing = quads.T
    miss = [
        np.linalg.norm((vertices[i] + vertices[j]) / 2 - points[crossing], axis=1)
        for i, j in ((a, c), (b, d))
    ]
    first = (miss[0] <= miss[1])[:, None]
    one = np.where(first, np.stack([a, b, c], 1), np.stack([b, c, d], 1))
    other = np.where(first, np.stack([a, c, d], 1), np.stack([b, d, a], 1))
    return np.stack([one, other], 1).reshape(-1, 3).astype(np.int32)
