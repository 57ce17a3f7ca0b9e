"""Laws of marching cubes in blocks, for any blobs in any region."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from core.base.jobs import run_task
from core.meshing.mesh import Mesh
from core.meshing.surface.extract import extract
from core.meshing.surface.grid import Grid
from tests.core.strategies import arrays, floats

SdfFunction = Callable[[np.ndarray], np.ndarray]


@st.composite
def blobs(draw: st.DrawFn) -> SdfFunction:
    """The distance of a few balls within [-1, 1]³, one of them perhaps taken away."""
    balls = draw(
        st.lists(st.tuples(arrays(3, -0.5, 0.5), floats(0.1, 0.4)), min_size=1, max_size=4)
    )
    hole = draw(st.none() | st.tuples(arrays(3, -0.5, 0.5), floats(0.1, 0.3)))

    def sdf(p: np.ndarray) -> np.ndarray:
        found = np.min([np.linalg.norm(p - c, axis=-1) - r for c, r in balls], axis=0)
        if hole is None:
            return found
        return np.maximum(found, hole[1] - np.linalg.norm(p - hole[0], axis=-1))

    return sdf


regions = st.builds(
    lambda low, high: np.stack([low, high]), arrays(3, -1.3, -0.95), arrays(3, 0.95, 1.3)
)


def as_trimesh(mesh: Mesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)


def dense_samples(sdf: SdfFunction, grid: Grid) -> np.ndarray:
    """The field at all samples of the grid, as marching cubes without blocks would ask it."""
    index = np.stack(np.meshgrid(*[np.arange(n + 1) for n in grid.n_cells], indexing="ij"), -1)
    points = grid.positions(index.reshape(-1, 3)).astype(np.float32)
    return sdf(points).reshape(index.shape[:3])


@given(blobs(), regions, st.integers(10, 40))
def test_a_surface_within_the_region_is_closed_turned_outward_and_whole(sdf, region, resolution):
    mesh = run_task(extract(sdf, region, resolution, block=16))
    grid = Grid(region, resolution)
    values = dense_samples(sdf, grid)
    crossings = sum(int((np.diff(values < 0, axis=a)).sum()) for a in range(3))
    assert len(mesh.vertices) == crossings, "a vertex for each edge that the surface crosses"
    if not crossings:
        assert mesh.faces.shape == (0, 3)
        return
    shape = as_trimesh(mesh)
    assert shape.is_watertight
    assert shape.is_winding_consistent
    assert shape.volume > 0, "outward"
    assert len(np.unique(mesh.faces)) == len(mesh.vertices), "no vertex without a face"
    assert np.abs(sdf(mesh.vertices)).max() < grid.cell
    steps = (mesh.vertices - region[0]) / grid.spacing
    whole = np.abs(steps - steps.round()) < 1e-4
    assert (whole.sum(1) >= 2).all(), "each vertex lies on an edge of the grid"


@given(blobs(), regions, st.integers(10, 40), st.none() | floats(0.3, 0.9))
def test_blocks_do_not_change_a_bit_of_the_surface(sdf, region, resolution, radius):
    ball = None if radius is None else (np.array([0.1, 0.0, 0.0]), radius)
    mesh = run_task(extract(sdf, region, resolution, ball=ball, block=128))
    for block in (8, 24):
        other = run_task(extract(sdf, region, resolution, ball=ball, block=block))
        assert other.vertices.tobytes() == mesh.vertices.tobytes()
        assert other.faces.tobytes() == mesh.faces.tobytes()
    if ball is not None and len(mesh.vertices):
        assert np.linalg.norm(mesh.vertices - ball[0], axis=1).max() < ball[1]


@given(blobs(), st.integers(12, 32), arrays(3, -2, 2))
def test_a_moved_field_gives_the_moved_surface(sdf, resolution, move):
    region = np.array([[-1.0] * 3, [1.0] * 3])
    mesh = run_task(extract(sdf, region, resolution))
    moved = run_task(extract(lambda p: sdf(p - move), region + move, resolution))
    if len(moved.vertices) == len(mesh.vertices):  # a sample on the surface may round either way
        np.testing.assert_allclose(moved.vertices, mesh.vertices + move, atol=2e-3)
        np.testing.assert_array_equal(moved.faces, mesh.faces)
