"""A mesh moved to where the photos agree on it, coarse to fine.

Each level compares the photos at one size: neighbours are reprojected over the mesh, and its
vertices take Gauss-Newton steps along their normals towards agreement (`correlation`), as smooth as
a thin plate (`thin_plate`). Edges that are long in the photos' pixels are halved before. Pairs of
photos that were held back decide whether a level is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.sparse import csr_array

from core.base.jobs import Progress, Task, run_in_thread, subtask
from core.base.parallel import num_workers, parallel_map
from core.base.text import text
from core.capture.scene import Photo
from core.meshing.build import vertex_normals
from core.meshing.mesh import Mesh
from core.meshing.refinement.correlation import MeshView, compare, view_mesh
from core.meshing.refinement.neighbours import choose_neighbours
from core.meshing.refinement.pinhole_photo import PinholePhoto, read_pinhole_photo
from core.meshing.refinement.subdivide import split_edges
from core.meshing.refinement.thin_plate import bending_matrix, smooth_step
from core.meshing.simplify import simplify


@dataclass(frozen=True)
class Level:
    """One size at which photos are compared."""

    divisor: int
    """of the photos' size at the finest level"""
    steps: int
    """of Gauss and Newton, at most"""
    stiffness: float
    """of the thin plate, beside the photos"""


LEVELS = (Level(4, 5, 4.0), Level(2, 5, 2.0), Level(1, 3, 1.5))
MAX_SIDE, MIN_SIDE = 800, 90
"""pixels of the photos' longer side, at most at the finest level and at least at any"""
MIN_PHOTOS = 6
MAX_PHOTOS = 120
NEIGHBOURS = 4
HELD_OUT_EVERY = 8
"""each so manieth pair of photos is held back"""
LONGEST_EDGE, SHORTEST_EDGE = 2.8, 1.6
"""pixels: longer edges are halved; the mesh begins with edges that are at least so long"""
LONGEST_STEP = 1.0
"""pixels that a vertex moves at once"""
CONVERGED = 0.05
"""pixels of the mean step, below which a level ends"""
LEAST_AREA = 0.2
"""of a face, as it was seen along its old normal: below, its corners are taken back"""


@dataclass(frozen=True)
class Refined:
    """What the refinement came to."""

    mesh: Mesh
    """geometry and normals; with other faces than before where it was kept"""
    before: float
    """mean ZNCC of the pairs of photos held back, of the mesh as it was"""
    after: float
    """the same of ``mesh``"""
    kept: bool
    """whether any level made it better"""


def refine(mesh: Mesh, photos: Sequence[Photo]) -> Task[Refined | None]:
    """Refine ``mesh`` against ``photos``, whose poses share its frame.

    Returns:
        None where the photos are too few to tell.

    Raises:
        UserError: a photo cannot be read.
    """
    photos = photos[:: -(-len(photos) // MAX_PHOTOS) or 1]
    if len(photos) < MIN_PHOTOS or not len(mesh.faces):
        return None
    finest = min(MAX_SIDE, max(max(p.intrinsics.width, p.intrinsics.height) for p in photos))
    levels = [level for level in LEVELS if finest // level.divisor >= MIN_SIDE] or [LEVELS[-1]]
    now = Mesh(mesh.vertices, mesh.faces)
    kept, done = False, Refined(now, 0.0, 0.0, False)
    costs = np.array([level.steps / level.divisor**2 for level in levels])
    ends = np.concatenate([[0.0], np.cumsum(costs) / costs.sum()]).tolist()
    for level, start, end in zip(levels, ends[:-1], ends[1:]):
        task = _refine_level(mesh, now, photos, level, finest // level.divisor)
        done = yield from subtask(task, start, end)
        now, kept = done.mesh, kept or done.kept
    kept = kept and done.after > done.before
    return replace(done, mesh=_with_normals(now if kept else mesh), kept=kept)


def _refine_level(
    first: Mesh, mesh: Mesh, photos: Sequence[Photo], level: Level, side: int
) -> Task[Refined]:
    """``mesh`` by ``photos`` at ``side`` pixels, beside the ``first`` mesh of all."""
    views = yield from run_in_thread(
        lambda: parallel_map(lambda photo: _read(mesh, photo, side), photos),
        Progress(0.0, text("reading photos")),
    )
    footprint = _footprint(mesh.vertices, views)
    wanted = int(_area(mesh, footprint) / (0.433 * SHORTEST_EDGE**2))
    coarse = yield from simplify(mesh, max(wanted, 500))
    start = _split(coarse, views)
    pairs, held_out = _pairs(start, views)
    before, so_far = yield from run_in_thread(
        lambda: [_score(m, views, held_out) for m in (first, mesh)],
        Progress(0.05, text("comparing photos")),
    )
    now = start
    bending = bending_matrix(len(now.vertices), now.faces)
    footprint = _footprint(now.vertices, views)
    for step in range(level.steps):
        offsets = yield from run_in_thread(
            lambda now=now: _step(now, views, pairs, bending, level.stiffness),
            Progress(
                0.1 + 0.8 * step / level.steps,
                text(
                    "refining at {side} pixels, step {step} of {n}",
                    side=side,
                    step=step + 1,
                    n=level.steps,
                ),
            ),
        )
        most = LONGEST_STEP * footprint
        offsets = np.clip(offsets, -most, most)
        now = _without_folds(now, _normals(now) * offsets[:, None])
        moved = np.abs(offsets / footprint)[offsets != 0]
        if not len(moved) or moved.mean() < CONVERGED:
            break
    after = yield from run_in_thread(
        lambda: _score(now, views, held_out), Progress(0.95, text("comparing photos"))
    )
    if after <= so_far:
        return Refined(mesh, before, so_far, False)
    return Refined(now, before, after, True)


def _read(mesh: Mesh, photo: Photo, side: int) -> PinholePhoto:
    """The part of ``photo`` that shows the mesh."""
    view = read_pinhole_photo(photo, side)
    return view.cropped(view_mesh(mesh.vertices, mesh.faces, view).raster.face_id >= 0)


def _pairs(
    mesh: Mesh, views: Sequence[PinholePhoto]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Pairs of photos to compare, and those held back, as (photo, neighbour)."""
    chosen = choose_neighbours(mesh.vertices, _normals(mesh), views, NEIGHBOURS)
    unordered = sorted({(min(i, j), max(i, j)) for i, js in enumerate(chosen) for j in js})
    held_out = set(unordered[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY])
    pairs = [(i, j) for i, js in enumerate(chosen) for j in js]
    return [p for p in pairs if tuple(sorted(p)) not in held_out], sorted(held_out)


def _step(
    mesh: Mesh,
    views: Sequence[PinholePhoto],
    pairs: Sequence[tuple[int, int]],
    bending: csr_array,
    stiffness: float,
) -> np.ndarray:
    """Offsets [V] of one Gauss-Newton step."""
    seen = _look(mesh, views)
    normals, face_normals = _normals(mesh), _unit(mesh.face_normals())
    gradient, curvature = np.zeros(len(normals)), np.zeros(len(normals))
    for some in _batches(pairs):
        for found in parallel_map(
            lambda pair: compare(seen[pair[0]], seen[pair[1]], mesh.faces, normals, face_normals),
            some,
        ):
            gradient += found.gradient
            curvature += found.curvature
    return smooth_step(mesh.vertices, normals, bending, gradient, curvature, stiffness)


def _score(mesh: Mesh, views: Sequence[PinholePhoto], pairs: Sequence[tuple[int, int]]) -> float:
    """Mean ZNCC of ``pairs`` over the mesh."""
    seen = _look(mesh, views)
    normals, face_normals = _normals(mesh), _unit(mesh.face_normals())
    total, n = 0.0, 0
    for some in _batches(pairs):
        for found in parallel_map(
            lambda pair: compare(seen[pair[0]], seen[pair[1]], mesh.faces, normals, face_normals),
            some,
        ):
            total, n = total + found.score, n + found.n
    return total / max(n, 1)


def _look(mesh: Mesh, views: Sequence[PinholePhoto]) -> list[MeshView]:
    return parallel_map(lambda photo: view_mesh(mesh.vertices, mesh.faces, photo), views)


def _batches(pairs: Sequence[tuple[int, int]]) -> Iterator[Sequence[tuple[int, int]]]:
    """So many pairs at once as keep the memory of their answers small."""
    n = 2 * num_workers(torch.device("cpu"))
    return (pairs[i : i + n] for i in range(0, len(pairs), n))


def _footprint(vertices: np.ndarray, views: Sequence[PinholePhoto]) -> np.ndarray:
    """[V] the width of a pixel at each vertex, of the photo that is nearest."""
    widths = np.full(len(vertices), np.inf)
    for view in views:
        distance = np.linalg.norm(vertices - view.world_from_camera[:3, 3], axis=1)
        np.minimum(widths, distance / view.lens.fx, out=widths)
    return widths


def _area(mesh: Mesh, footprint: np.ndarray) -> float:
    """Of the surface, in pixels."""
    areas = np.linalg.norm(mesh.face_normals(), axis=1) / 2
    return float((areas / footprint[mesh.faces].mean(1) ** 2).sum())


def _split(mesh: Mesh, views: Sequence[PinholePhoto]) -> Mesh:
    """With no edge longer than the photos' pixels ask for."""
    vertices, faces = mesh.vertices, mesh.faces
    while True:
        n = len(vertices)
        vertices, faces = split_edges(vertices, faces, LONGEST_EDGE * _footprint(vertices, views))
        if len(vertices) == n:
            return Mesh(vertices, faces)


def _normals(mesh: Mesh) -> np.ndarray:
    """[V, 3] float64, unit, of the faces about each vertex."""
    return vertex_normals(mesh).astype(np.float64)


def _with_normals(mesh: Mesh) -> Mesh:
    return replace(mesh, normals=_normals(mesh).astype(np.float32))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)


def _without_folds(mesh: Mesh, offsets: np.ndarray) -> Mesh:
    """``mesh`` moved by ``offsets`` [V, 3], less where a face would turn over or lose its area."""
    before = mesh.face_normals()
    size = np.maximum((before**2).sum(1), 1e-300)
    for attempt in range(12):
        moved = replace(mesh, vertices=mesh.vertices + offsets)
        bad = (moved.face_normals() * before).sum(1) < LEAST_AREA * size
        if not bad.any():
            return moved
        offsets = offsets.copy()
        offsets[mesh.faces[bad]] *= 0.5 if attempt < 6 else 0.0
    return mesh
