"""Meshes of fifty random scenes, each a sum and difference of simple solids: they must be sound."""

import numpy as np
import pytest
import trimesh

from core.base.jobs import run_task
from core.config.mesh import MeshOptions
from core.meshing.pipeline import MeshSource, finish_mesh
from core.meshing.repair.clean import (
    DEGENERATE_AREA,
    edge_counts,
    is_vertex_manifold,
    is_watertight,
    repair,
)

BOX = np.array([[-1.0, -1, -1], [1, 1, 1]])
RESOLUTION = 40
CELL = 2 / RESOLUTION


def random_scene(seed: int):
    """The sdf (exact outside, a bound inside) of three to seven solids, the last one or two taken
    away; some reach beyond the region."""
    random = np.random.default_rng(seed)
    solids = []
    for _ in range(random.integers(3, 8)):
        turn = trimesh.transformations.random_rotation_matrix(random.random(3))[:3, :3]
        center, size = random.uniform(-0.6, 0.6, 3), random.uniform(0.15, 0.5, 3)
        solids.append((random.integers(4), turn, center, size))
    n_cut = int(random.integers(0, 3))

    def sdf(points: np.ndarray) -> np.ndarray:
        values = [
            solid((points - center) @ turn, size, kind) for kind, turn, center, size in solids
        ]
        out = np.min(values[: len(values) - n_cut], 0)
        for cut in values[len(values) - n_cut :]:
            out = np.maximum(out, -cut)
        return out

    return sdf


def solid(p: np.ndarray, size: np.ndarray, kind: int) -> np.ndarray:
    if kind == 0:
        return np.linalg.norm(p, axis=1) - size[0]
    if kind == 1:
        q = np.abs(p) - size
        return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(1), 0)
    if kind == 2:
        return np.hypot(np.hypot(p[:, 0], p[:, 1]) - 0.3 - size[0] / 2, p[:, 2]) - size[1] / 3
    along = np.clip(p[:, 2], -size[0], size[0])
    return np.linalg.norm(p - along[:, None] * [0, 0, 1], axis=1) - size[1] / 2


@pytest.mark.parametrize("seed", range(50))
def test_the_mesh_of_a_random_scene_is_sound(seed):
    sdf = random_scene(seed)
    closed = seed % 2 == 0
    options = MeshOptions(
        RESOLUTION, watertight=closed, unseen="keep", min_component=0.0, close_holes=0.0
    )
    subject = MeshSource(sdf, lambda p, n: np.zeros_like(p), BOX, None, np.eye(4), [], False)
    done = run_task(finish_mesh(subject, options))
    mesh = done.lods[0]
    assert len(mesh.faces) > 100
    twice_area = np.linalg.norm(mesh.face_normals(), axis=1)
    assert twice_area.min() > DEGENERATE_AREA
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)
    assert edge_counts(mesh.faces).max() == 2
    assert is_vertex_manifold(mesh.faces)
    # on the surface, but for the walls that close it
    inside = (np.abs(mesh.vertices) < 1 - 1.6 * CELL).all(1)
    assert np.abs(sdf(mesh.vertices[inside])).max() < CELL / 2
    # outward: the sdf grows along the normals that the winding gives
    center = mesh.vertices[mesh.faces].mean(1)
    large = (twice_area > 0.2 * CELL**2) & (np.abs(center) < 1 - 2 * CELL).all(1)
    step = 0.5 * CELL * mesh.face_normals()[large] / twice_area[large, None]
    growth = sdf(center[large] + step) - sdf(center[large] - step)
    assert (growth > 0).mean() > 0.98  # but at sharp edges and thin walls
    if closed:
        assert done.watertight
        assert is_watertight(mesh.faces)
        volume = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).volume
        assert volume > 0
    assert not any(repair(mesh)[1].values())
