"""Removal of small parts and repair of meshes; each step counts what it did."""
# libigl has no type stubs
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from dataclasses import replace

import igl
import numpy as np
from numba import njit

from core.meshing.mesh import Mesh, face_normal
from core.meshing.spill_array import map_chunks

Counts = dict[str, int]
"""What a step did, by name, for people: faces or edges unless the name says otherwise."""

DEGENERATE_AREA = 1e-14
"""times the squared diagonal: smaller faces are degenerate"""


def clean(mesh: Mesh, min_component: float) -> Mesh:
    """Remove faces that use a vertex twice, small parts and unused vertices.

    Args:
        mesh: any mesh.
        min_component: area of a part to keep, as a fraction of the largest part's.
    """
    a, b, c = mesh.faces.T
    mesh = replace(mesh, faces=mesh.faces[(a != b) & (b != c) & (c != a)])
    return remove_small_parts(mesh, min_component, np.ones(len(mesh.vertices), np.float32))[0]


def remove_small_parts(
    mesh: Mesh, min_component: float, weights: np.ndarray
) -> tuple[Mesh, Counts]:
    """Remove connected parts whose area is small against the largest part's.

    Args:
        mesh: any mesh.
        min_component: area of a part to keep, as a fraction of the largest part's.
        weights: [V] in [0, 1]; a face counts by the mean of its corners' weights. Parts without any
            weight are always removed.
    """
    if not len(mesh.faces) or not weights.any():
        return remove_unused_vertices(mesh), {}
    part = parts(mesh)
    areas, n_faces = _part_areas(
        np.asarray(mesh.vertices, np.float64), mesh.faces, part, weights, int(part.max()) + 1
    )
    kept = (areas >= min_component * areas.max()) & (areas > 0)
    counts = {
        "parts removed": int((n_faces > 0).sum() - kept.sum()),
        "faces of them": int(n_faces[~kept].sum()),
    }
    faces = map_chunks(lambda faces: faces[kept[part[faces[:, 0]]]], mesh.faces)
    return remove_unused_vertices(replace(mesh, faces=faces)), counts


def remove_faces(mesh: Mesh, gone: np.ndarray) -> Mesh:
    """Remove the faces where ``gone`` [F] is true."""
    faces = map_chunks(lambda faces, out: faces[~out], mesh.faces, gone)
    return remove_unused_vertices(replace(mesh, faces=faces))


def repair(mesh: Mesh) -> tuple[Mesh, Counts]:
    """Make ``mesh`` manifold and consistently wound.

    Afterwards there is no face without area and none twice, no edge has more than two faces (faces
    are separated there), and each part winds one way.
    """
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
    """[E] number of faces at each edge."""
    return np.unique(_edge_keys(np.sort(_edges(faces), 1)), return_counts=True)[1]


def is_vertex_manifold(faces: np.ndarray) -> bool:
    """Whether the faces around each vertex are connected; all vertices must be used."""
    if not len(faces):
        return True
    return bool(np.all(igl.is_vertex_manifold(np.ascontiguousarray(faces, np.int64))))


def is_watertight(faces: np.ndarray) -> bool:
    """Whether each edge has two faces, which run along it in opposite directions."""
    if not len(faces):
        return False
    edges = _edges(faces)
    forward, backward = np.sort(_edge_keys(edges)), np.sort(_edge_keys(edges[:, ::-1]))
    return bool(np.array_equal(forward, backward) and (np.diff(forward) > 0).all())


def is_balanced(faces: np.ndarray) -> bool:
    """Whether each edge is traversed equally often in both directions, as in a closed surface.

    Sums of hashes of both directions are compared, which takes no memory.
    """
    names = np.random.default_rng(0).integers(0, 2**63, int(faces.max(initial=-1)) + 1, np.int64)
    return len(faces) > 0 and _imbalance(faces, names) == 0


def validity_report(mesh: Mesh) -> dict[str, bool | int]:
    """Check whether a mesh is watertight and manifold, with the seams of an atlas joined.

    Returns:
        ``watertight``, ``edge_manifold``, ``vertex_manifold``, and the numbers of ``open_edges``
        and connected ``parts``.
    """
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
    """Remove vertices that no face uses."""
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    number = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return mesh.reindexed(np.flatnonzero(used), map_chunks(lambda faces: number[faces], mesh.faces))


@njit(cache=True, nogil=True)
def _connected_components(faces: np.ndarray, n_vertices: int) -> np.ndarray:
    """[V] int32 number of each vertex's part, by union-find.

    Each vertex leads to an earlier one of its part, and at last to the first.
    """
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
def _imbalance(faces: np.ndarray, names: np.ndarray) -> np.int64:
    """Σ over directed edges of f(from, to) - f(to, from), modulo 2^64, for a hash f."""
    total = np.int64(0)
    for f in range(len(faces)):
        for corner in range(3):
            one, other = names[faces[f, corner]], names[faces[f, (corner + 1) % 3]]
            forth, back = one * (other | 1), other * (one | 1)
            total += (forth ^ (forth >> 29)) * one - (back ^ (back >> 29)) * other
    return np.int64(total)


@njit(cache=True, nogil=True)
def _part_areas(
    vertices: np.ndarray, faces: np.ndarray, part: np.ndarray, weights: np.ndarray, n_parts: int
) -> tuple[np.ndarray, np.ndarray]:
    """Area times weight of each part, and its number of faces."""
    areas, n_faces = np.zeros(n_parts), np.zeros(n_parts, np.int64)
    for f in range(len(faces)):
        a, b, c = faces[f]
        x, y, z = face_normal(vertices, a, b, c)
        mean = (np.float64(weights[a]) + weights[b] + weights[c]) / 3
        areas[part[a]] += mean * np.sqrt(x * x + y * y + z * z) / 2
        n_faces[part[a]] += 1
    return areas, n_faces


def _orient_consistently(faces: np.ndarray) -> tuple[np.ndarray, int]:
    """Wind the faces of each part as most of them do; returns also how many were reversed."""
    keys = np.sort(_edge_keys(_edges(faces)))
    if (np.diff(keys) > 0).all():  # no edge is run along twice in one direction
        return faces, 0
    result = igl.bfs_orient(np.ascontiguousarray(faces, np.int64))
    oriented, part = np.asarray(result[0]), np.asarray(result[1])
    turned = (oriented[:, 0] != faces[:, 0]) | (oriented[:, 1] != faces[:, 1])
    fraction = np.bincount(part, turned) / np.maximum(np.bincount(part), 1)
    turned = turned != (fraction > 0.5)[part]
    return np.where(turned[:, None], faces[:, ::-1], faces), int(turned.sum())


def _edges(faces: np.ndarray) -> np.ndarray:
    """[3 F, 2] directed edges, as the faces wind."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def _face_keys(faces: np.ndarray) -> np.ndarray:
    """[F] uint64 keys that are equal for equal corners in any order.

    Different faces collide with a probability of 1e-5 at a million faces; sorting rows would take
    ten times as long.
    """
    names = np.random.default_rng(0).integers(
        0, 2**64, int(faces.max(initial=-1)) + 1, np.uint64, endpoint=False
    )
    return names[faces].sum(1, dtype=np.uint64)


def _edge_keys(edges: np.ndarray) -> np.ndarray:
    """[E] int64 keys of directed edges."""
    return edges[:, 0].astype(np.int64) << 32 | edges[:, 1].astype(np.int64)
