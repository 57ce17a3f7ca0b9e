"""What is removed from a mesh before anyone sees it: specks that float in unobserved space, and
what carries no surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from core.meshing.mesh import Mesh


def clean(mesh: Mesh, min_component: float) -> Mesh:
    """Without faces that use a vertex twice, without connected parts whose area is less than
    ``min_component`` of the largest part's, and without vertices that no face uses."""
    a, b, c = mesh.faces.T
    mesh = replace(mesh, faces=mesh.faces[(a != b) & (b != c) & (c != a)])
    if len(mesh.faces):
        part = parts(mesh)[mesh.faces[:, 0]]
        areas = np.bincount(part, np.linalg.norm(mesh.face_normals(), axis=1) / 2)
        mesh = replace(mesh, faces=mesh.faces[areas[part] >= min_component * areas.max()])
    return without_unused_vertices(mesh)


def parts(mesh: Mesh) -> np.ndarray:
    """[V] number of the connected part that each vertex belongs to."""
    n = len(mesh.vertices)
    a, b, c = mesh.faces.T
    rows, columns = np.concatenate([a, b]), np.concatenate([b, c])
    edges = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(n, n))
    return connected_components(edges, directed=False)[1]


def without_unused_vertices(mesh: Mesh) -> Mesh:
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    return Mesh(
        mesh.vertices[used],
        (np.cumsum(used) - 1)[mesh.faces].astype(np.int32),
        None if mesh.colors is None else mesh.colors[used],
        None if mesh.normals is None else mesh.normals[used],
    )
