from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.base.jobs import run_task
from core.capture import region
from core.capture.open import open_capture
from core.capture.readers.idr import read_idr
from core.capture.region import propose_region
from core.capture.scene import Photo, Scene
from core.geometry.rigid import similarity, transform_points
from core.geometry.scene_ball import ball_from_scene
from tests.core.captures import DATA, LENS, orbit

TURN = similarity(1.0, Rotation.from_rotvec([0.9, -0.3, 0.5]).as_matrix(), np.array([3.0, 1, -2]))


def scene_of(poses, points=None, **fields):
    photos = tuple(Photo(f"{i}.jpg", None, LENS, pose) for i, pose in enumerate(poses))  # type: ignore[arg-type]
    points = np.zeros((0, 3)) if points is None else points
    return Scene("test", photos, np.eye(4), points=points.astype(np.float32), **fields)


@pytest.fixture(autouse=True)
def no_metadata(monkeypatch):
    """The photos of these scenes have no files."""
    monkeypatch.setattr(region, "up_by_gravity", lambda photos: None)
    monkeypatch.setattr(region, "metres_per_input", lambda photos: None)


def ball_on_table(turn, tilt_degrees=0.0):
    """A ball of radius 0.5 on a table, whose cameras all lean to the side, in a frame ``turn``ed
    from the upright one."""
    rng = np.random.default_rng(0)
    ball = rng.normal(size=(1000, 3))
    ball *= 0.5 / np.linalg.norm(ball, axis=1, keepdims=True)
    table = np.stack([*rng.uniform(-3, 3, (2, 3000)), np.full(3000, -0.5)], 1)
    lean = similarity(
        1.0, Rotation.from_euler("x", tilt_degrees, degrees=True).as_matrix(), np.zeros(3)
    )
    points = transform_points(turn, np.concatenate([ball, table]))
    return scene_of([turn @ lean @ pose for pose in orbit(20)], points), ball


@pytest.mark.parametrize("tilt", [0.0, 8.0])
def test_a_table_tells_up_more_exactly_than_leaning_cameras_and_lies_at_zero(tilt):
    scene, ball = ball_on_table(TURN, tilt)
    placed = propose_region(scene)
    upright = placed.upright_from_input
    np.testing.assert_allclose(upright[:3, :3] @ TURN[:3, 2], [0, 0, 1], atol=2e-3)
    lowest = transform_points(upright @ TURN, ball)[:, 2].min()
    assert lowest == pytest.approx(0.0, abs=0.01)
    assert placed.setting == "on_plane"


def test_region_and_ball_lie_about_the_subject_whatever_the_frame():
    scene, ball = ball_on_table(TURN)
    placed = propose_region(scene)
    assert placed.region is not None
    assert placed.region.contains(transform_points(TURN, ball)).all()
    inside = transform_points(placed.scene_from_input @ TURN, ball)
    assert np.linalg.norm(inside, axis=1).max() < 1
    np.testing.assert_allclose(
        placed.upright_from_input[:3, :3] @ placed.region.axes[:, 2], [0, 0, 1], atol=1e-9
    )


def test_up_where_it_is_declared_is_left_alone_unless_the_photos_contradict_it():
    scene, _ = ball_on_table(np.eye(4), 8.0)
    upright = propose_region(scene, declared_z_up=True).upright_from_input
    np.testing.assert_array_equal(upright[:3, :3], np.eye(3))
    lying = similarity(1.0, Rotation.from_euler("x", 90, degrees=True).as_matrix(), np.zeros(3))
    scene, _ = ball_on_table(lying)
    upright = propose_region(scene, declared_z_up=True).upright_from_input
    np.testing.assert_allclose(upright[:3, :3] @ lying[:3, 2], [0, 0, 1], atol=2e-3)


def test_gravity_goes_before_tables_and_cameras(monkeypatch):
    scene, _ = ball_on_table(np.eye(4))
    felt = Rotation.from_euler("y", 12, degrees=True).apply([0.0, 0, 1])
    monkeypatch.setattr(region, "up_by_gravity", lambda photos: felt)
    upright = propose_region(scene).upright_from_input
    np.testing.assert_allclose(upright[:3, :3] @ felt, [0, 0, 1], atol=1e-9)


def test_without_points_the_region_is_all_of_the_ball():
    scene = propose_region(scene_of(orbit(12)))
    center, radius = ball_from_scene(scene.scene_from_input)
    assert scene.region is not None
    np.testing.assert_allclose(scene.region.center, center, atol=1e-9)
    np.testing.assert_allclose(scene.region.half, radius)
    np.testing.assert_allclose(np.abs(scene.region_in_scene.corners()), 1.0)


def test_a_declared_ball_stays_the_unit_ball():
    scene, _ = ball_on_table(TURN)
    placed = propose_region(scene, declared_ball=(np.array([1.0, 2, 3]), 4.0))
    center, radius = ball_from_scene(placed.scene_from_input)
    np.testing.assert_allclose([*center, radius], [1, 2, 3, 4])


def test_gps_gives_metres_to_a_free_frame_only(monkeypatch):
    scene, _ = ball_on_table(np.eye(4))
    monkeypatch.setattr(region, "metres_per_input", lambda photos: 2.5)
    assert (propose_region(scene).units_per_input, propose_region(scene).unit) == (1.0, "")
    free = propose_region(replace(scene, frame_is_free=True))
    assert (free.units_per_input, free.unit) == (2.5, "m")


@pytest.mark.skipif(not (DATA / "dtu_scan65").is_dir(), reason="the shared captures are not here")
@pytest.mark.slow
def test_the_skull_alone_within_its_declared_ball():
    scene = run_task(open_capture(DATA / "dtu_scan65"))
    center, radius = ball_from_scene(scene.scene_from_input)
    assert scene.region is not None
    beyond = (scene.region.corners() - center) @ scene.region.axes
    assert np.abs(beyond).max() <= radius * (1 + 1e-9)
    assert 8 * scene.region.half.prod() < 0.6 * (2 * radius) ** 3
    declared = read_idr(DATA / "dtu_scan65").scene_from_input
    np.testing.assert_array_equal(scene.scene_from_input, declared)
