"""Mapping of databases that pycolmap synthesises: it is exact, and quick without pictures."""

import numpy as np
import pycolmap
import pytest

from core.capture.poses import mapping
from core.capture.poses.checks import lens_warnings, pose_warnings, triangulation_angle, view_angle
from core.capture.poses.mapping import map_photos, snapshot, turn_upright, world_from_cameras
from core.capture.poses.progress_estimate import ProgressEstimator


@pytest.fixture
def capture(tmp_path):
    """A database of 12 photos of one camera, and the true model."""
    pycolmap.set_random_seed(1)
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_frames_per_rig, options.num_points3D = 1, 12, 300
    options.camera_model_id = pycolmap.CameraModelId.SIMPLE_RADIAL
    with pycolmap.Database.open(str(tmp_path / "some.db")) as database:
        truth = pycolmap.synthesize_dataset(options, database)
    return tmp_path / "some.db", truth


def solve(database, seen=None):
    seen = [] if seen is None else seen
    progress = ProgressEstimator(lambda share, words, found: seen.append((words, found)))
    return map_photos(database, database.parent, 12, 0, float("inf"), progress)


def test_cameras_placed_so_far_are_told(capture, monkeypatch):
    monkeypatch.setattr(mapping, "_SNAPSHOT_TIME_FRACTION", 1e9)  # as often as can be
    seen = []
    model = solve(capture[0], seen)[0]
    assert model.num_reg_images() == 12
    found = [f for _, f in seen if f]
    counts = [len(f.cameras) for f in found]
    assert counts == sorted(counts)
    assert counts[0] == 2
    assert counts[-1] == 12
    assert all(len(camera) == 16 for camera in found[-1].cameras)
    assert 100 < len(found[-1].points) <= 2000
    last = np.array(found[-1].cameras).reshape(-1, 4, 4)
    np.testing.assert_allclose(last[:, 3], np.tile([0, 0, 0, 1], (12, 1)))
    assert "placing photo 12 of 12" in str(seen[-1][0])


def test_watching_changes_nothing(capture, monkeypatch):
    monkeypatch.setattr(mapping, "_SNAPSHOT_TIME_FRACTION", 1e9)
    watched = world_from_cameras(solve(capture[0])[0])
    monkeypatch.setattr(mapping, "snapshot", lambda model: None)
    np.testing.assert_array_equal(watched, world_from_cameras(solve(capture[0])[0]))


def test_a_snapshot_names_at_most_2000_points(capture):
    _, truth = capture
    for _ in range(2500):
        truth.add_point3D(np.ones(3), pycolmap.Track(), np.zeros(3, np.uint8))
    assert 1000 < len(snapshot(truth).points) <= 2000


def test_turned_upright_most_cameras_look_up_along_z(capture):
    _, truth = capture
    turn_upright(truth)
    assert -np.mean(world_from_cameras(truth)[:, 2, 1]) > 0


def names(model):
    return [image.name for image in model.images.values()]


def linked(model):
    """Links as many as a sound capture has."""
    return {n: {m: 40 for m in names(model) if m != n} for n in names(model)}


def test_true_poses_are_beyond_doubt(capture):
    _, truth = capture
    assert not pose_warnings(truth, linked(truth), {})
    focal = truth.cameras[1].mean_focal_length()
    assert pose_warnings(truth, linked(truth), dict.fromkeys(names(truth), 1.2 * focal)) == []
    assert triangulation_angle(truth) > 20


def test_a_camera_that_is_turned_away_is_doubted(capture):
    _, truth = capture
    image = truth.images[3]
    pose = image.cam_from_world()
    about = pycolmap.Rigid3d(pycolmap.Rotation3d(np.diag([-1.0, 1.0, -1.0])), np.zeros(3))
    image.frame.set_cam_from_world(image.camera_id, about * pose)
    assert any(
        "1 photo is placed with what it shows behind" in str(w)
        for w in pose_warnings(truth, linked(truth), {})
    )


def test_a_camera_far_from_all_others_is_doubted(capture):
    _, truth = capture
    image = truth.images[3]
    pose = image.cam_from_world()
    pose.translation = pose.translation + [0, 0, 400.0]
    image.frame.set_cam_from_world(image.camera_id, pose)
    assert any(
        "1 photo is placed far away" in str(w) for w in pose_warnings(truth, linked(truth), {})
    )


def test_focal_lengths_that_no_lens_has_or_exif_denies_are_doubted(capture):
    _, truth = capture
    camera = truth.cameras[1]
    exif = dict.fromkeys(names(truth), camera.mean_focal_length())
    camera.params = [8.0 * camera.width, *camera.params[1:]]
    assert view_angle(camera) == pytest.approx(7.15, abs=0.01)
    assert "was solved to see 7°" in str(lens_warnings(truth, {})[0])
    assert "times that of EXIF" in str(lens_warnings(truth, exif)[0])
    told = dict.fromkeys(names(truth), 8.0 * camera.width)
    assert lens_warnings(truth, told) == [], "a long lens that EXIF knows of"
