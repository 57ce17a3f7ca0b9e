"""The dual of marching cubes, which the benchmark `tests.benchmarks.dual` compares with it."""

import numpy as np
import pytest
import trimesh

from core.base.jobs import run_task
from core.geometry.scene_ball import Ball
from core.meshing.mesh import Mesh
from core.meshing.repair.clean import is_balanced
from core.meshing.surface.extract import extract
from core.meshing.surface.grid import Grid
from tests.benchmarks.dual import BOX, solids, turned
from tests.benchmarks.dual_cells import crossings, dual_surface

CELLS = 24


def cut(sdf, ball: Ball | None = None) -> tuple[Mesh, Grid]:
    return run_task(extract(sdf, BOX, CELLS, ball=ball)), Grid(BOX, CELLS)


def volume(mesh: Mesh) -> float:
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).volume


def test_sharp_edges_are_met_where_marching_cubes_cuts_them_off():
    box = next(iter(solids()))
    cubes, grid = cut(box.sdf)
    dual = dual_surface(cubes, box.sdf, grid, 0.1 * grid.cell)
    assert is_balanced(dual.faces)
    truth = 1.2 * 0.9 * 0.6
    assert volume(box.references["exact"]) == pytest.approx(truth)
    assert volume(cubes) < 0.99 * truth
    assert volume(dual) == pytest.approx(truth, rel=0.002)
    corners = box.references["exact"].vertices
    met = [
        (np.linalg.norm(mesh.vertices[:, None] - corners, axis=2).min(0) < 0.05 * grid.cell)
        for mesh in (dual, cubes)
    ]
    assert met[0].any(), "those in whose cell all three planes cross an edge"
    assert not met[1].any()


def test_crossings_lie_on_the_surface_and_on_their_edges():
    box = next(iter(solids()))
    cubes, grid = cut(box.sdf)
    found = crossings(cubes, box.sdf, grid)
    assert np.abs(box.sdf(found)).max() < 1e-4 * grid.cell < np.abs(box.sdf(cubes.vertices)).max()
    along = np.abs(found - cubes.vertices) / grid.cell
    assert np.sort(along, 1)[:, :2].max() < 1e-9
    assert along.max() < 1


def test_the_dual_of_an_open_surface_ends_where_quads_are_whole():
    """A ball through the region's wall: nothing is capped, nothing winds inward."""

    def ball(points):
        return np.linalg.norm(points - [0.8, 0, 0], axis=1) - 0.5

    cubes, grid = cut(ball)
    dual = dual_surface(cubes, ball, grid, 0.1 * grid.cell)
    outward = (dual.face_normals() * (dual.vertices[dual.faces].mean(1) - [0.8, 0, 0])).sum(1)
    assert (outward > 0).all()
    assert dual.vertices[:, 0].max() < 1


def test_a_turned_solid_is_the_distance_to_its_outline():
    tube = turned("a tube", [[0.3, -0.5], [0.6, -0.5], [0.6, 0.5], [0.3, 0.5]])
    exact = tube.references["exact"]
    assert volume(exact) == pytest.approx(np.pi * (0.36 - 0.09), rel=1e-4)
    assert np.abs(tube.sdf(exact.vertices)).max() < 1e-6
    assert tube.sdf(np.zeros((1, 3)))[0] == pytest.approx(0.3)
