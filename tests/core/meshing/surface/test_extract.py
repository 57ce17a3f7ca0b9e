"""Extraction against surfaces that are known exactly."""

import numpy as np
import pytest
import trimesh

from core.base import paths as places
from core.base.errors import UserError
from core.base.jobs import run_task
from core.meshing import spill_array as rows
from core.meshing.mesh import Mesh
from core.meshing.surface.extract import BRICK, extract

BALL = np.array([[-1.0, -1, -1], [1, 1, 1]])


def sphere(p, radius=0.7, center=(0.05, -0.03, 0.02)):
    return np.linalg.norm(p - np.float32(center), axis=-1) - radius


def torus(p):
    ring = np.hypot(p[:, 0], p[:, 1]) - 0.6
    return np.hypot(ring, p[:, 2]) - 0.2


def box_with_hole(p):
    q = np.abs(p) - np.float32([0.6, 0.5, 0.3])
    box = np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(-1), 0)
    return np.maximum(box, 0.25 - np.hypot(p[:, 0], p[:, 1]))


def as_trimesh(mesh: Mesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)


@pytest.mark.parametrize(
    ("sdf", "genus", "volume"),
    [
        (sphere, 0, 4 / 3 * np.pi * 0.7**3),
        (torus, 1, 2 * np.pi**2 * 0.6 * 0.2**2),
        (box_with_hole, 1, 1.2 * 1.0 * 0.6 - np.pi * 0.25**2 * 0.6),
    ],
)
def test_the_surface_is_where_the_sdf_says_closed_and_turned_outward(sdf, genus, volume):
    mesh = run_task(extract(sdf, BALL, 96))
    shape = as_trimesh(mesh)
    cell = 2 / 96
    assert np.abs(sdf(mesh.vertices)).max() < cell / 2
    assert shape.is_watertight
    assert shape.is_winding_consistent
    assert shape.euler_number == 2 - 2 * genus
    assert shape.volume == pytest.approx(volume, rel=0.01)  # positive: outward
    assert len(np.unique(mesh.vertices.astype(np.float32), axis=0)) == len(mesh.vertices)


@pytest.mark.parametrize("ball", [None, (np.array([0.1, 0, 0]), 0.62)])
def test_neither_blocks_nor_the_disk_change_a_bit_of_the_surface(ball, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "spill_folder", lambda: tmp_path / "spill")
    mesh = run_task(extract(box_with_hole, BALL, 70, ball=ball))
    assert not (tmp_path / "spill").exists()
    monkeypatch.setattr(rows, "MAX_MEMORY_BYTES", 0)
    for block in (8, 24, 128):
        other = run_task(extract(box_with_hole, BALL, 70, ball=ball, block=block))
        assert other.vertices.tobytes() == mesh.vertices.tobytes()
        assert other.faces.tobytes() == mesh.faces.tobytes()
    assert (tmp_path / "spill").exists()
    assert not list((tmp_path / "spill").iterdir()), "files without a name"


def test_a_disk_without_room_is_told_of(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(places, "spill_folder", lambda: tmp_path / "file" / "spill")
    monkeypatch.setattr(rows, "MAX_MEMORY_BYTES", 0)
    with pytest.raises(UserError, match="does not fit into memory"):
        run_task(extract(sphere, BALL, 32))


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_no_block_is_lost_where_slopes_are_not_one(slope):
    """A wavy surface whose sdf has slopes up to ``slope``: sparse equals dense."""

    def wavy(p):
        waves = np.sin(p * 25).prod(-1) * 0.02  # |∇| of it at most 0.5
        return (sphere(p) + waves) * (slope / 1.5)

    sparse = run_task(extract(wavy, BALL, 80, block=16))
    n = 81
    axis = np.linspace(-1, 1, n).astype(np.float32)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    values = wavy(points).reshape(n, n, n)
    crossings = sum(int((np.diff(np.sign(values), axis=a) != 0).sum()) for a in range(3))
    assert len(sparse.vertices) == crossings
    assert as_trimesh(sparse).is_watertight


def test_a_blob_smaller_than_a_brick_is_found():
    """A ball between all corners of the bricks, where no sign changes on the coarse grid."""
    center = np.float32(-1 + (BRICK * 3.5) * 2 / 64)
    mesh = run_task(extract(lambda p: sphere(p, 0.06, (center,) * 3), BALL, 64))
    assert as_trimesh(mesh).is_watertight
    assert as_trimesh(mesh).volume == pytest.approx(4 / 3 * np.pi * 0.06**3, rel=0.2)


def test_only_space_near_the_surface_is_evaluated():
    """So that four times as many points, not eight, are asked for cells of half the size."""
    asked = {}
    for resolution in (96, 192, 384):
        seen = []
        run_task(extract(lambda p, seen=seen: seen.append(p) or sphere(p), BALL, resolution))
        asked[resolution] = np.concatenate(seen)
    assert len(asked[96]) < 0.3 * 97**3
    assert len(asked[192]) < 0.15 * 193**3
    assert len(asked[192]) < 4.5 * len(asked[96])
    assert len(asked[384]) < 4.2 * len(asked[192])
    reach = np.sqrt(3) * 2 * BRICK * 2 / 192
    beyond = np.abs(sphere(asked[192])) >= reach
    assert beyond.sum() < (192 / BRICK + 1) ** 3, "the corners of bricks alone are asked so far off"


def test_the_ball_cuts_open_and_the_box_does_too():
    center = np.array([0.2, -0.1, -0.011])
    plane = run_task(extract(lambda p: p[:, 2] + 0.011, BALL, 64, ball=(center, 0.7)))
    assert np.linalg.norm(plane.vertices - center, axis=1).max() < 0.7
    assert np.linalg.norm(plane.vertices - center, axis=1).max() > 0.7 - 2 * 2 / 64
    assert as_trimesh(plane).area == pytest.approx(np.pi * 0.7**2, rel=0.08)
    assert np.allclose(plane.vertices[:, 2], -0.011, atol=1e-6)  # no cap, no wall
    lower = np.array([[-1, -1, -1], [1, 1, 0.0]])
    half = run_task(extract(lambda p: sphere(p, 0.7, (0, 0, 0)), lower, 64))
    assert not as_trimesh(half).is_watertight
    assert as_trimesh(half).area == pytest.approx(2 * np.pi * 0.7**2, rel=0.02)


def test_samples_of_exactly_zero_leave_no_twin_vertices():
    mesh = run_task(extract(lambda p: np.abs(p).max(-1) - 0.5, BALL, 16))  # faces on the grid
    assert as_trimesh(mesh).is_watertight
    assert len(np.unique(mesh.vertices.astype(np.float32), axis=0)) == len(mesh.vertices)


def test_a_field_with_other_last_bits_in_each_batch_is_not_torn():
    calls = iter(range(10**6))

    def restless(p):
        return np.abs(p).max(-1) - 0.5 + (-1) ** next(calls) * 1e-7

    mesh = run_task(extract(restless, BALL, 64, block=16))
    assert as_trimesh(mesh).is_watertight


def test_a_field_that_is_not_finite_in_places_gives_a_mesh_that_is():
    def astray(p):
        return np.where(p[:, 0] > 0.3, np.nan, np.where(p[:, 0] < -0.3, -np.inf, sphere(p)))

    mesh = run_task(extract(astray, BALL, 48))
    assert len(mesh.faces) > 100
    assert np.isfinite(mesh.vertices).all()


def test_nothing_to_cut_gives_an_empty_mesh():
    mesh = run_task(extract(lambda p: np.ones(len(p)), BALL, 32))
    assert mesh.vertices.shape == (0, 3)
    assert mesh.faces.shape == (0, 3)


def test_progress_grows_and_closing_stops():
    task = extract(sphere, BALL, 96)
    fractions = [next(task).fraction for _ in range(6)]
    assert fractions == sorted(fractions)
    task.close()
    with pytest.raises(StopIteration):
        next(task)
