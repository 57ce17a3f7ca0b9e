import time

import igl
import numpy as np
import pytest
import trimesh

from core.base.errors import UserError
from core.base.jobs import run_task
from core.base.subprocess_call import run_in_subprocess
from core.base.text import text
from core.meshing.mesh import Mesh
from core.meshing.repair.clean import is_watertight
from core.meshing.simplify import simplify, simplify_to_error

SHAPE = trimesh.creation.torus(0.6, 0.2, major_sections=160, minor_sections=64)
FINE = Mesh(np.asarray(SHAPE.vertices), np.asarray(SHAPE.faces, np.int32))


def farthest(points: np.ndarray, mesh: Mesh) -> float:
    faces = np.ascontiguousarray(mesh.faces, np.int64)
    tree = igl.AABB()
    tree.init(mesh.vertices, faces)
    return float(np.sqrt(tree.squared_distance(mesh.vertices, faces, points)[0]).max())


def test_the_count_is_met_and_the_surface_stays_closed_and_near():
    mesh = run_task(simplify(FINE, 2000))
    assert len(mesh.faces) == 2000
    assert is_watertight(mesh.faces)
    assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).volume > 0
    assert farthest(FINE.vertices, mesh) < 0.01
    assert run_task(simplify(mesh, 5000)).faces is mesh.faces


@pytest.mark.parametrize("tolerance", [0.01, 0.001])
def test_an_error_in_units_is_kept_with_few_faces(tolerance):
    mesh = run_task(simplify_to_error(FINE, tolerance))
    assert farthest(FINE.vertices, mesh) <= tolerance
    assert len(mesh.faces) < len(FINE.faces) / 2
    half = run_task(simplify(FINE, len(mesh.faces) * 2 // 3))
    assert farthest(FINE.vertices, half) > tolerance * 0.8, "fewer would not do"


def test_borders_keep_their_place():
    upper = FINE.faces[(FINE.vertices[FINE.faces][..., 2] > -0.05).all(1)]
    used = np.unique(upper)
    open_mesh = Mesh(FINE.vertices[used], np.searchsorted(used, upper).astype(np.int32))
    mesh = run_task(simplify(open_mesh, 2000))
    border = igl.boundary_facets(np.ascontiguousarray(open_mesh.faces, np.int64))[0]
    assert farthest(open_mesh.vertices[np.unique(border)], mesh) < 0.004


def slow(seconds):
    time.sleep(seconds)


def fails(seconds):
    raise UserError(text("No"), text("way"))


def dies(seconds):
    import os

    os.kill(os.getpid(), 9)


def test_work_in_another_process_is_stopped_fails_and_dies_as_one_expects():
    task = run_in_subprocess(slow, 60.0, detail=text("waiting"), expected_s=1.0)
    began = time.monotonic()
    fractions = [next(task).fraction for _ in range(40)]
    assert fractions == sorted(fractions)
    assert fractions[-1] < 1
    task.close()
    assert time.monotonic() - began < 20
    with pytest.raises(UserError, match="No"):
        run_task(run_in_subprocess(fails, 0, detail=text("failing"), expected_s=1.0))
    with pytest.raises(UserError, match=r"process ended unexpectedly \(dying\)"):
        run_task(run_in_subprocess(dies, 0, detail=text("dying"), expected_s=1.0))
