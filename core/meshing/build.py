"""Mesh extraction from a field: surface, small parts removed, normals and colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numba import njit

from core.base.jobs import Progress, Task, run_in_thread, subtask
from core.base.shapes import check_shapes
from core.base.text import text
from core.config.mesh import MeshOptions
from core.geometry.scene_ball import Ball
from core.meshing.mesh import Mesh, face_normal
from core.meshing.repair.clean import clean
from core.meshing.spill_array import map_chunks
from core.meshing.surface.extract import SdfFunction, evaluate_in_batches, extract

# points [N, 3], normals [N, 3] float32 -> sRGB [N, 3] in [0, 1]
ColorFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Points and unit normals, [N, 3] float32 each, to sRGB [N, 3] in [0, 1]."""

# Corners of a tetrahedron: Σ k f(x + ε k) = 4 ε ∇f, with four evaluations, not six.
FD_STENCIL = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], np.float32)
"""[4, 3] corners of a tetrahedron: Σ k f(x + ε k) = 4 ε ∇f, with four evaluations."""


def build_mesh(
    sdf: SdfFunction,
    color: ColorFunction | None,
    aabb: np.ndarray,
    options: MeshOptions,
    export_from_source: np.ndarray,
    *,
    ball: Ball | None = None,
) -> Task[Mesh]:
    """Extract the zero level of ``sdf`` as a mesh with normals and colours.

    Nothing else that ``options`` ask for is done; see `core.meshing.pipeline` for that. An SDF
    without a zero in ``aabb`` gives an empty mesh, which `write_mesh` refuses.

    Args:
        sdf: negative inside.
        color: vertex colours; None for none.
        aabb: [2, 3] the region, in the frame of ``sdf``.
        options: of these ``resolution`` and ``min_component`` count.
        export_from_source: [4, 4] similarity from the frame of ``sdf`` to that of the mesh.
        ball: in the frame of ``sdf``; the surface outside is left out.

    Raises:
        ValueError: an array has a wrong shape.
    """
    check_shapes(aabb=(aabb, "2 3"), export_from_source=(export_from_source, "4 4"))
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
    """Add unit normals, and colours where ``color`` is given.

    Args:
        mesh: in the frame of ``sdf``.
        sdf: whose gradient gives the normals; None: they are those of the faces, for a mesh that no
            longer follows the field.
        color: vertex colours; None for none.
        cell: the width over which gradients are taken.
    """
    if len(mesh.faces):
        points = map_chunks(lambda rows: rows.astype(np.float32), mesh.vertices)
        if sdf is None:
            normals = yield from run_in_thread(
                lambda: vertex_normals(mesh), Progress(0.0, text("normals"))
            )
        else:
            normals = yield from evaluate_in_batches(
                lambda points: sdf_normals(sdf, points, cell / 2),
                points,
                end=0.6,
                detail=text("normals"),
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
    """Intersect the solid of ``sdf`` with a box and a ball, so that its surface is closed.

    Args:
        sdf: negative inside.
        aabb: [2, 3] the region.
        ball: the other bound; None for none.
        margin: how far inside ``aabb`` the solid is cut off.
    """
    middle, half = aabb.mean(0), np.ptp(aabb, axis=0) / 2 - margin

    def clipped(points: np.ndarray) -> np.ndarray:
        outside = (np.abs(points - middle) - half).max(1)
        if ball is not None:
            center, radius = ball
            outside = np.maximum(outside, np.linalg.norm(points - center, axis=1) - radius)
        return np.maximum(np.asarray(sdf(points)).reshape(-1), outside)

    return clipped


def sdf_normals(sdf: SdfFunction, points: np.ndarray, epsilon: float) -> np.ndarray:
    """Compute unit gradients of ``sdf`` by finite differences.

    Args:
        sdf: any function of points.
        points: [N, 3] float32.
        epsilon: distance from each point to its four samples.

    Returns:
        [N, 3] float32, 0 where the SDF is flat.
    """
    check_shapes(points=(points, "N 3"))
    stencil = points[:, None] + (epsilon / np.sqrt(3)) * FD_STENCIL
    values = np.asarray(sdf(stencil.reshape(-1, 3).astype(np.float32))).reshape(-1, 4)
    gradients = values.astype(np.float32) @ FD_STENCIL
    return gradients / np.maximum(np.linalg.norm(gradients, axis=1, keepdims=True), 1e-12)


def _orient_normals(mesh: Mesh, normals: np.ndarray) -> np.ndarray:
    """Replace normals that disagree with the winding by those of the faces around.

    On thin parts and noise the field's normals can point inward; a renderer would show such
    vertices black.
    """
    by_faces = _area_weighted_normals(mesh.vertices, mesh.faces)

    def oriented(normals: np.ndarray, by_faces: np.ndarray) -> np.ndarray:
        by_faces = _unit(by_faces)
        agree = (normals * by_faces).sum(1, keepdims=True) > 0.2
        return np.where(agree, normals, by_faces).astype(np.float32)

    return map_chunks(oriented, normals, by_faces)


@njit(cache=True, nogil=True)
def _area_weighted_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[V, 3] sums of the normals of the faces around each vertex, weighted by area."""
    total = np.zeros((len(vertices), 3))
    for f in range(len(faces)):
        a, b, c = faces[f]
        x, y, z = face_normal(vertices, a, b, c)
        for corner in (a, b, c):
            total[corner, 0] += x
            total[corner, 1] += y
            total[corner, 2] += z
    return total
