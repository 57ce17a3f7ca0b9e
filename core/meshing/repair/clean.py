"""What is removed from a mesh, or mended, before anyone sees it. Each step tells what it did."""

from __future__ import annotations

from dataclasses import replace

import igl
import numpy as np
from numba import njit

from core.meshing.mesh import Mesh, face_normal
from core.meshing.spill_array import map_chunks

Counts = dict[str, int]
"""What a step did, by name, for people: faces or edges unless it says otherwise."""

DEGENERATE_AREA = 1e-14
"""times the squared diagonal: smaller faces are degenerate"""


def clean(mesh: Mesh, min_component: float) -> Mesh:
    """Without faces that use a vertex twice, without connected parts whose area is less than
    ``min_component`` of the largest part's, and without vertices that no face uses."""
    a, b, c = mesh.faces.T
    mesh = replace(mesh, faces=mesh.faces[(a != b) & (b != c) & (c != a)])
    return remove_small_parts(mesh, min_component, np.ones(len(mesh.vertices), np.float32))[0]


def remove_small_parts(mesh: Mesh, min_component: float, worth: np.ndarray) -> tuple[Mesh, Counts]:
    """Without connected parts of less than ``min_component`` of the largest part's area, faces
    counting by the ``worth`` [V] in [0, 1] of their corners; a part of no worth goes in any
    case."""
    if not len(mesh.faces) or not worth.any():
        return remove_unused_vertices(mesh), {}
    part = parts(mesh)
    areas, n_faces = _part_areas(
        np.asarray(mesh.vertices, np.float64), mesh.faces, part, worth, int(part.max()) + 1
    )
    kept = (areas >= min_component * areas.max()) & (areas > 0)
    counts = {
        "parts removed": int((n_faces > 0).sum() - kept.sum()),
        "faces of them": int(n_faces[~kept].sum()),
    }
    faces = map_chunks(lambda some: some[kept[part[some[:, 0]]]], mesh.faces)
    return remove_unused_vertices(replace(mesh, faces=faces)), counts


def remove_faces(mesh: Mesh, gone: np.ndarray) -> Mesh:
    """Without the faces where ``gone`` [F] is true."""
    faces = map_chunks(lambda some, out: some[~out], mesh.faces, gone)
    return remove_unused_vertices(replace(mesh, faces=faces))


def repair(mesh: Mesh) -> tuple[Mesh, Counts]:
    """No face without area, none twice, no edge with more than two faces (its faces part there),
    and one winding all over."""
    extent = np.ptp(mesh.vertices, axis=0) if len(mesh.vertices) else np.zeros(3)
    tiny = np.linalg.norm(mesh.face_normals(), axis=1) / 2 <= DEGENERATE_AREA * (extent @ extent)
    counts = {"degenerate faces removed": int(tiny.sum())}
    faces = mesh.faces[~tiny]
    kept = np.sort(np.unique(_face_keys(faces), return_index=True)[1])
    counts["duplicate faces removed"] = len(faces) - len(kept)
    mesh = remove_unused_vertices(replace(mesh, faces=faces[kept]))
    bad = int((edge_counts(mesh.faces) > 2).sum())
    counts["non-manifold edges parted"] = bad
    if bad or not is_vertex_manifold(mesh.faces):
        split = igl.split_nonmanifold(np.ascontiguousarray(mesh.faces, np.int64))
        faces, source = np.asarray(split[0]), np.asarray(split[1])
        counts["vertices doubled"] = len(source) - len(mesh.vertices)
        mesh = mesh.reindexed(source, faces)
    faces, turned = _orient_consistently(mesh.faces)
    counts["faces turned"] = turned
    return remove_unused_vertices(replace(mesh, faces=faces)), counts


def edge_counts(faces: np.ndarray) -> np.ndarray:
    """[E] how many faces each edge has."""
    return np.unique(_edge_keys(np.sort(_edges(faces), 1)), return_counts=True)[1]


def is_vertex_manifold(faces: np.ndarray) -> bool:
    """Whether the faces around each vertex hang together; all vertices must be used."""
    if not len(faces):
        return True
    return bool(np.all(igl.is_vertex_manifold(np.ascontiguousarray(faces, np.int64))))


def is_watertight(faces: np.ndarray) -> bool:
    """Watertight: each edge has two faces, which run along it in opposite directions."""
    if not len(faces):
        return False
    ways = _edges(faces)
    forth, back = np.sort(_edge_keys(ways)), np.sort(_edge_keys(ways[:, ::-1]))
    return bool(np.array_equal(forth, back) and (np.diff(forth) > 0).all())


def is_balanced(faces: np.ndarray) -> bool:
    """Whether each edge is run along as often in one direction as in the other, as in a closed
    surface; the sums of random names of both ways are compared, which take no memory."""
    names = np.random.default_rng(0).integers(0, 2**63, int(faces.max(initial=-1)) + 1, np.int64)
    return len(faces) > 0 and _imbalance(faces, names) == 0


def validity_report(mesh: Mesh) -> dict[str, bool | int]:
    """Whether the mesh is watertight and manifold at its edges and vertices, seams of an atlas
    joined, and how many connected parts and open edges it has."""
    _, inverse = np.unique(mesh.vertices, axis=0, return_inverse=True)
    whole = remove_unused_vertices(
        Mesh(np.zeros((int(inverse.max(initial=-1)) + 1, 3)), inverse.reshape(-1)[mesh.faces])
    )
    counts = edge_counts(whole.faces)
    return {
        "watertight": is_watertight(whole.faces),
        "edge_manifold": bool((counts <= 2).all()),
        "vertex_manifold": is_vertex_manifold(whole.faces),
        "open_edges": int((counts == 1).sum()),
        "parts": len(np.unique(parts(whole))),
    }


def parts(mesh: Mesh) -> np.ndarray:
    """[V] int32 number of the connected part that each vertex belongs to."""
    return _connected_components(mesh.faces, len(mesh.vertices))


def remove_unused_vertices(mesh: Mesh) -> Mesh:
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    number = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return mesh.reindexed(np.flatnonzero(used), map_chunks(lambda some: number[some], mesh.faces))


@njit(cache=True, nogil=True)
def _connected_components(faces, n_vertices):
    """Union-find: each vertex leads to one before it of its part, and at last to the first."""
    leader = np.arange(n_vertices, dtype=np.int32)
    for f in range(len(faces)):
        for corner in range(2):
            one, other = faces[f, corner], faces[f, corner + 1]
            while leader[one] != one:
                leader[one] = leader[leader[one]]
                one = leader[one]
            while leader[other] != other:
                leader[other] = leader[leader[other]]
                other = leader[other]
            if one < other:
                leader[other] = one
            else:
                leader[one] = other
    n_parts = 0
    for v in range(n_vertices):
        if leader[v] == v:
            leader[v] = n_parts
            n_parts += 1
        else:
            leader[v] = leader[leader[v]]
    return leader


@njit(cache=True, nogil=True)
def _imbalance(faces, names):
    """Σ over directed edges of f(from, to) - f(to, from), modulo 2^64, for an f without pattern."""
    total = np.int64(0)
    for f in range(len(faces)):
        for corner in range(3):
            one, other = names[faces[f, corner]], names[faces[f, (corner + 1) % 3]]
            forth, back = one * (other | 1), other * (one | 1)
            total += (forth ^ (forth >> 29)) * one - (back ^ (back >> 29)) * other
    return total


@njit(cache=True, nogil=True)
def _part_areas(vertices, faces, part, worth, n_parts):
    """Area times worth of each part, and how many faces it has."""
    areas, n_faces = np.zeros(n_parts), np.zeros(n_parts, np.int64)
    for f in range(len(faces)):
        a, b, c = faces[f]
        x, y, z = face_normal(vertices, a, b, c)
        mean = (np.float64(worth[a]) + worth[b] + worth[c]) / 3
        areas[part[a]] += mean * np.sqrt(x * x + y * y + z * z) / 2
        n_faces[part[a]] += 1
    return areas, n_faces


def _orient_consistently(faces: np.ndarray) -> tuple[np.ndarray, int]:
    """Faces of each part wound as most of its faces are, and how many were turned."""
    keys = np.sort(_edge_keys(_edges(faces)))
    if (np.diff(keys) > 0).all():  # no edge is run along twice in one direction
        return faces, 0
    found = igl.bfs_orient(np.ascontiguousarray(faces, np.int64))
    oriented, part = np.asarray(found[0]), np.asarray(found[1])
    turned = (oriented[:, 0] != faces[:, 0]) | (oriented[:, 1] != faces[:, 1])
    share = np.bincount(part, turned) / np.maximum(np.bincount(part), 1)
    turned = turned != (share > 0.5)[part]
    return np.where(turned[:, None], faces[:, ::-1], faces), int(turned.sum())


def _edges(faces: np.ndarray) -> np.ndarray:
    """[3 F, 2] from corner to corner, as the faces wind."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def _face_keys(faces: np.ndarray) -> np.ndarray:
    """[F] uint64, the same for the same corners in any order, else different but by a chance of
    one in 10^5 at a million faces: a sort of rows would take ten times as long."""
    names = np.random.default_rng(0).integers(
        0, 2**64, int(faces.max(initial=-1)) + 1, np.uint64, endpoint=False
    )
    return names[faces].sum(1, dtype=np.uint64)


def _edge_keys(edges: np.ndarray) -> np.ndarray:
    return edges[:, 0].astype(np.int64) << 32 | edges[:, 1].astype(np.int64)
