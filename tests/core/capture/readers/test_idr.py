import numpy as np
import pytest

from core.base.errors import UserError
from core.capture.readers.idr import decompose_projection, read_idr
from core.geometry.rigid import invert
from core.geometry.scene_ball import ball_from_scene
from tests.core.captures import DATA, LENS, noise_photo, orbit, pixels_of

CENTER, RADIUS = np.array([10.0, -5.0, 30.0]), 3.0
POSES = orbit(5, 12.0, CENTER)
# Pixel centres are whole numbers in this layout, and half numbers in ours.
K = np.array([[LENS.fx, 0, LENS.cx - 0.5], [0, LENS.fy, LENS.cy - 0.5], [0, 0, 1]])


def capture(tmp_path, masks=True, mask_size=(80, 60), change=None):
    cameras = {}
    for i, pose in enumerate(POSES):
        world_mat = np.eye(4)
        world_mat[:3] = (-1.0 if i % 2 else 2.5) * K @ invert(pose)[:3]  # its scale is free
        cameras[f"world_mat_{i}"] = world_mat
        scale_mat = np.diag([RADIUS, RADIUS, RADIUS, 1.0])
        scale_mat[:3, 3] = CENTER
        cameras[f"scale_mat_{i}"] = scale_mat
        noise_photo(tmp_path / "image" / f"{i:06d}.png", i)
        if masks:
            noise_photo(tmp_path / "mask" / f"{i:03d}.png", i, mask_size)
    if change:
        change(cameras)
    np.savez(tmp_path / "cameras_sphere.npz", **cameras)
    return tmp_path


def test_photos_are_seen_as_the_projection_matrices_say(tmp_path):
    scene = read_idr(capture(tmp_path))
    points = CENTER + np.random.default_rng(0).uniform(-2, 2, (40, 3))
    for photo, pose in zip(scene.photos, POSES):
        np.testing.assert_allclose(photo.world_from_camera, pose, atol=1e-9)
        seen = pixels_of(photo.intrinsics, photo.world_from_camera, points)
        np.testing.assert_allclose(seen, pixels_of(LENS, pose, points), atol=1e-6)
    assert scene.has_masks
    assert scene.photos[3].mask_path == tmp_path / "mask" / "003.png"


def test_the_declared_ball_becomes_the_unit_ball(tmp_path):
    center, radius = ball_from_scene(read_idr(capture(tmp_path)).scene_from_input)
    np.testing.assert_allclose(center, CENTER, atol=1e-9)
    assert radius == pytest.approx(RADIUS)


def test_rq_keeps_focal_lengths_positive_and_the_rotation_proper():
    k, pose = decompose_projection(-3.0 * K @ invert(POSES[2])[:3])
    np.testing.assert_allclose(k, K, atol=1e-9)
    np.testing.assert_allclose(pose, POSES[2], atol=1e-9)


def test_a_capture_without_masks(tmp_path):
    scene = read_idr(capture(tmp_path, masks=False))
    assert not scene.has_masks
    assert scene.background is None


def drop_last(cameras):
    del cameras["world_mat_4"]


def spoil(cameras):
    cameras["world_mat_1"][0, 0] = np.nan


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"mask_size": (40, 30)}, r"000\.png is 40x30 pixels, its photo 000000\.png 80x60"),
        ({"change": drop_last}, r"no world_mat_4, the camera of 000004\.png"),
        ({"change": spoil}, "world_mat_1 cannot be used: it holds NaN"),
    ],
)
def test_bad_captures_are_refused(tmp_path, kwargs, words):
    with pytest.raises(UserError, match=words):
        read_idr(capture(tmp_path, **kwargs))


def test_missing_masks_and_damaged_files_are_refused(tmp_path):
    capture(tmp_path)
    (tmp_path / "mask" / "004.png").unlink()
    with pytest.raises(UserError, match="5 photos but 4 masks"):
        read_idr(tmp_path)
    (tmp_path / "cameras_sphere.npz").write_bytes(b"PK not a zip")
    with pytest.raises(UserError, match=r"cameras_sphere\.npz is not a readable"):
        read_idr(tmp_path)


@pytest.mark.skipif(not (DATA / "dtu_scan65").is_dir(), reason="the shared captures are not here")
def test_the_dtu_skull():
    scene = read_idr(DATA / "dtu_scan65")
    assert len(scene.photos) == 49
    lens = scene.photos[0].intrinsics
    assert (lens.width, lens.height) == (1600, 1200)
    assert abs(lens.fx / lens.fy - 1) < 0.01


def test_a_projection_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="projection has shape"):
        decompose_projection(np.eye(4))
