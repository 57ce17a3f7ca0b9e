"""From a field to a mesh: cut, without specks, with the field's normals and colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numba import njit

from core.base.jobs import Progress, Task, run_in_thread, subtask
from core.base.text import text
from core.config.mesh import MeshOptions
from core.geometry.scene_ball import Ball
from core.meshing.mesh import Mesh, face_normal
from core.meshing.repair.clean import clean
from core.meshing.spill_array import map_chunks
from core.meshing.surface.extract import SdfFunction, evaluate_in_batches, extract

# points [N, 3], normals [N, 3] float32 -> sRGB [N, 3] in [0, 1]
ColorFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]

# Corners of a tetrahedron: Σ k f(x + ε k) = 4 ε ∇f, with four evaluations instead of six.
FD_STENCIL = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], np.float32)


def build_mesh(
    sdf: SdfFunction,
    color: ColorFunction | None,
    aabb: np.ndarray,  # [2, 3]
    options: MeshOptions,
    export_from_source: np.ndarray,  # [4, 4] similarity
    *,
    ball: Ball | None = None,
) -> Task[Mesh]:
    """The surface of ``sdf`` (negative inside) within ``aabb`` and ``ball``, which share its frame,
    as a mesh in the frame that ``export_from_source`` leads to, with unit normals from the field
    and
    colours where ``color`` is given; not finished in any other way that ``options`` ask for.

    An sdf without a zero in ``aabb`` gives an empty mesh, which `write_mesh` refuses.
    """
    mesh = yield from subtask(extract(sdf, aabb, options.resolution, ball=ball), 0.0, 0.75)
    mesh = yield from run_in_thread(
        lambda: clean(mesh, options.min_component), Progress(0.76, text("removing small parts"))
    )
    cell = float(np.ptp(aabb, axis=0).max()) / options.resolution
    mesh = yield from subtask(with_attributes(mesh, sdf, color, cell), 0.76, 1.0)
    return mesh.transformed(export_from_source)


def with_attributes(
    mesh: Mesh, sdf: SdfFunction | None, color: ColorFunction | None, cell: float
) -> Task[Mesh]:
    """``mesh`` with unit normals, and colours where ``color`` is given.

    Args:
        mesh: geometry.
        sdf: the field that gives the normals, by differences over ``cell``; None: they are those of
            the faces, for a mesh that no longer follows the field.
        color: of points and normals.
        cell: width of a cell of the grid that the mesh was cut on.
    """
    if len(mesh.faces):
        points = map_chunks(lambda v: v.astype(np.float32), mesh.vertices)
        if sdf is None:
            normals = yield from run_in_thread(
                lambda: vertex_normals(mesh), Progress(0.0, text("normals"))
            )
        else:
            normals = yield from evaluate_in_batches(
                lambda p: sdf_normals(sdf, p, cell / 2), points, end=0.6, detail=text("normals")
            )
            normals = yield from run_in_thread(
                lambda: _orient_normals(mesh, normals), Progress(0.6, text("normals"))
            )
        mesh = replace(mesh, normals=normals)
        if color is not None:
            task = evaluate_in_batches(
                lambda p, n: np.round(np.clip(color(p, n), 0, 1) * 255).astype(np.uint8),
                points,
                normals,
                start=0.6,
                detail=text("colours"),
            )
            mesh = replace(mesh, colors=(yield from task))
    yield Progress(1.0, text("mesh ready"))
    return mesh


def vertex_normals(mesh: Mesh) -> np.ndarray:
    """[V, 3] float32, unit: of the faces around each vertex, weighted by their areas."""
    return map_chunks(_unit, _area_weighted_normals(mesh.vertices, mesh.faces))


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-30)).astype(np.float32)


def clip_to_box(
    sdf: SdfFunction, aabb: np.ndarray, ball: Ball | None, margin: float
) -> SdfFunction:
    """The solid of ``sdf`` cut off ``margin`` within ``aabb`` [2, 3] and within ``ball``: its
    surface is closed, flat where it was cut."""
    middle, half = aabb.mean(0), np.ptp(aabb, axis=0) / 2 - margin

    def closed(points: np.ndarray) -> np.ndarray:
        wall = (np.abs(points - middle) - half).max(1)
        if ball is not None:
            center, radius = ball
            wall = np.maximum(wall, np.linalg.norm(points - center, axis=1) - radius)
        return np.maximum(np.asarray(sdf(points)).reshape(-1), wall)

    return closed


def sdf_normals(sdf: SdfFunction, points: np.ndarray, epsilon: float) -> np.ndarray:
    """[N, 3] float32 unit gradients of ``sdf`` by finite differences at ``epsilon`` (0 where the
    sdf is flat)."""
    stencil = points[:, None] + (epsilon / np.sqrt(3)) * FD_STENCIL
    values = np.asarray(sdf(stencil.reshape(-1, 3).astype(np.float32))).reshape(-1, 4)
    gradients = values.astype(np.float32) @ FD_STENCIL
    return gradients / np.maximum(np.linalg.norm(gradients, axis=1, keepdims=True), 1e-12)


def _orient_normals(mesh: Mesh, normals: np.ndarray) -> np.ndarray:
    """``normals``, replaced by those of the faces around a vertex where the field's disagree with
    the winding (thin parts, noise): a renderer would show such vertices black."""
    by_faces = _area_weighted_normals(mesh.vertices, mesh.faces)

    def turned(normals: np.ndarray, by_faces: np.ndarray) -> np.ndarray:
        by_faces = _unit(by_faces)
        agree = (normals * by_faces).sum(1, keepdims=True) > 0.2
        return np.where(agree, normals, by_faces).astype(np.float32)

    return map_chunks(turned, normals, by_faces)


@njit(cache=True, nogil=True)
def _area_weighted_normals(vertices, faces):
    """[V, 3] sums of the normals of the faces around each vertex, by their areas."""
    total = np.zeros((len(vertices), 3))
    for f in range(len(faces)):
        a, b, c = faces[f]
        x, y, z = face_normal(vertices, a, b, c)
        for corner in (a, b, c):
            total[corner, 0] += x
            total[corner, 1] += y
            total[corner, 2] += z
    return total
