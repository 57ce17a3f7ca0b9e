"""Hole filling by triangulations of least area.

Source: Barequet and Sharir 1995, "Filling gaps in the boundary of a polyhedron": the best
triangulation of a loop is that of two shorter ones and the triangle between.
"""
# libigl has no type stubs
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from dataclasses import replace

import igl
import numpy as np
from numba import njit

from core.meshing.mesh import Mesh
from core.meshing.repair.clean import Counts, edge_counts

MAX_LOOP_EDGES = 400
"""of a hole that is filled: the cost grows with their cube"""


def fill_holes(mesh: Mesh, size: float) -> tuple[Mesh, Counts]:
    """Fill the holes of a manifold mesh up to a diameter of ``size``.

    Returns:
        The mesh, and how many holes were closed and left.
    """
    loops = igl.boundary_loop_all(np.ascontiguousarray(mesh.faces, np.int64))
    new: list[np.ndarray] = []
    left = 0
    neighbours = _neighbours(mesh.faces, {v for loop in loops for v in loop})
    for loop in loops:
        points = mesh.vertices[loop]
        if len(loop) > MAX_LOOP_EDGES or np.linalg.norm(np.ptp(points, axis=0)) > size:
            left += 1
            continue
        forbidden = _existing_chords(loop, neighbours)
        triangles = _triangulate_loop(np.ascontiguousarray(points), forbidden)
        if triangles is None:
            left += 1
            continue
        new.append(np.asarray(loop)[triangles])
    counts = {"holes closed": len(new), "holes left": left}
    if not new:
        return mesh, counts
    faces = np.concatenate([mesh.faces, *new]).astype(np.int32)
    if (edge_counts(faces) > 2).any():  # two holes that share a chord
        return mesh, {"holes closed": 0, "holes left": len(loops)}
    return replace(mesh, faces=faces), counts


def _neighbours(faces: np.ndarray, vertices: set[int]) -> dict[int, set[int]]:
    """Adjacent vertices of each of ``vertices``."""
    selected = np.zeros(int(faces.max(initial=-1)) + 1, bool)
    selected[list(vertices)] = True
    neighbours: dict[int, set[int]] = {v: set() for v in vertices}
    for face in faces[selected[faces].any(1)].tolist():
        for v in face:
            if v in neighbours:
                neighbours[v].update(face)
    return neighbours


def _existing_chords(loop: list[int], neighbours: dict[int, set[int]]) -> np.ndarray:
    """[n, n] bool: these vertices of the loop share an edge that is not in the loop."""
    n, place = len(loop), {v: i for i, v in enumerate(loop)}
    taken = np.zeros((n, n), np.bool_)
    for i, v in enumerate(loop):
        for w in neighbours[v]:
            j = place.get(w)
            if j is not None and j != i and (i - j) % n not in (1, n - 1):
                taken[i, j] = True
    return taken


def _triangulate_loop(points: np.ndarray, forbidden: np.ndarray) -> np.ndarray | None:
    """Triangulate the loop ``points`` [n, 3] with least area.

    Returns:
        [n - 2, 3] triangles, wound as the mesh's faces along the loop require; None where existing
        chords leave no solution.
    """
    best, middle = _least_area_table(points, forbidden)
    n = len(points)
    if not np.isfinite(best[0, n - 1]):
        return None
    triangles: list[tuple[int, int, int]] = []
    todo = [(0, n - 1)]
    while todo:
        i, j = todo.pop()
        if j - i < 2:
            continue
        k = int(middle[i, j])
        triangles.append((j, k, i))  # the faces beside run from i to j
        todo += [(i, k), (k, j)]
    return np.array(triangles).reshape(-1, 3)


@njit(cache=True, nogil=True)
def _least_area_table(points: np.ndarray, forbidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dynamic program: the least area between two points of the loop, and the point in between."""
    n = len(points)
    best = np.zeros((n, n))
    middle = np.zeros((n, n), np.int64)
    for span in range(2, n):
        for i in range(n - span):
            j = i + span
            best[i, j] = np.inf
            if forbidden[i, j]:
                continue
            for k in range(i + 1, j):
                a, b = points[k] - points[i], points[j] - points[i]
                area = (
                    np.sqrt(
                        (a[1] * b[2] - a[2] * b[1]) ** 2
                        + (a[2] * b[0] - a[0] * b[2]) ** 2
                        + (a[0] * b[1] - a[1] * b[0]) ** 2
                    )
                    / 2
                )
                cost = best[i, k] + best[k, j] + area
                if cost < best[i, j]:
                    best[i, j] = cost
                    middle[i, j] = k
    return best, middle
