import json
import math

import numpy as np
import pytest
import trimesh
from PIL import Image

from core.base.errors import UserError
from core.capture.readers.transforms import read_transforms
from core.geometry.rigid import world_from_opengl_camera
from tests.core.captures import DATA, LENS, noise_photo, orbit

POSES = orbit(4)
ANGLE = 2 * math.atan(0.5 * LENS.width / LENS.fx)


def frames(suffix=".png", folder="images"):
    return [
        {
            "file_path": f"{folder}/{i}{suffix}",
            "transform_matrix": world_from_opengl_camera(p).tolist(),
        }
        for i, p in enumerate(POSES)
    ]


def capture(tmp_path, header, frames_, name="transforms.json", photos=4):
    for i in range(photos):
        noise_photo(tmp_path / "images" / f"{i}.png", i, (LENS.width, LENS.height))
    (tmp_path / name).write_text(json.dumps(header | {"frames": frames_}))
    return tmp_path


NGP = {
    "fl_x": 70.0,
    "fl_y": 71.0,
    "cx": 41.0,
    "cy": 29.0,
    "w": 80,
    "h": 60,
    "k1": 0.05,
    "k2": -0.08,
    "p1": 0.001,
    "p2": 0.002,
}


def test_instant_ngp_flavour(tmp_path):
    scene = read_transforms(capture(tmp_path, NGP | {"camera_angle_x": 99.0}, frames()))
    lens = scene.photos[0].intrinsics
    assert (lens.fx, lens.fy, lens.cx, lens.cy) == (70.0, 71.0, 41.0, 29.0)
    assert lens.model == "opencv"
    assert lens.distortion[:4] == (0.05, -0.08, 0.001, 0.002)
    for photo, pose in zip(scene.photos, POSES):
        np.testing.assert_allclose(photo.world_from_camera, pose, atol=1e-12)
    assert not scene.has_masks
    assert scene.background is None


def test_file_and_folder_name_the_same_capture(tmp_path):
    capture(tmp_path, NGP, frames())
    for path in (tmp_path, tmp_path / "transforms.json"):
        assert len(read_transforms(path).photos) == 4


def test_nerf_synthetic_flavour(tmp_path):
    header = {"camera_angle_x": ANGLE}
    bare = frames(suffix="", folder="./images")
    capture(tmp_path, header, bare, name="transforms_train.json")
    capture(tmp_path, header, bare[:2], name="transforms_test.json")
    pixels = np.zeros((60, 80, 4), np.uint8)
    pixels[20:40, 30:50] = 255
    for i in range(4):
        Image.fromarray(pixels).save(tmp_path / "images" / f"{i}.png")
    scene = read_transforms(tmp_path)
    assert [p.name for p in scene.photos] == ["images/0", "images/1", "images/2", "images/3"]
    assert len(scene.held_out) == 2
    assert scene.has_masks
    assert scene.background == (1.0, 1.0, 1.0)
    lens = scene.photos[0].intrinsics
    assert lens.model == "pinhole"
    assert (lens.fx, lens.fy, lens.cx, lens.cy) == pytest.approx((70.0, 70.0, 40.0, 30.0))
    np.testing.assert_allclose(
        scene.scene_from_input[:3, :3] / scene.scene_from_input[0, 0], np.eye(3), atol=1e-12
    )


def test_nerfstudio_flavour_with_lens_per_frame_masks_and_points(tmp_path):
    per_frame = frames()
    for i, frame in enumerate(per_frame):
        frame |= {
            "fl_x": 70.0 + i,
            "fl_y": 70.0 + i,
            "cx": 40,
            "cy": 30,
            "w": 80,
            "h": 60,
            "mask_path": f"masks/{i}.png",
        }
        noise_photo(tmp_path / "masks" / f"{i}.png", i)
    points = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    trimesh.PointCloud(points).export(tmp_path / "sparse.ply")
    header = {"camera_model": "OPENCV", "ply_file_path": "sparse.ply"}
    scene = read_transforms(capture(tmp_path, header, per_frame))
    assert [p.intrinsics.fx for p in scene.photos] == [70.0, 71.0, 72.0, 73.0]
    assert [p.mask_path.name for p in scene.photos if p.mask_path] == [f"{i}.png" for i in range(4)]
    assert scene.has_masks
    np.testing.assert_allclose(scene.points, points, atol=1e-6)


def test_fisheye_model(tmp_path):
    header = NGP | {"camera_model": "OPENCV_FISHEYE", "k3": 0.01, "k4": 0.02}
    lens = read_transforms(capture(tmp_path, header, frames())).photos[0].intrinsics
    assert lens.model == "fisheye"
    assert lens.distortion == (0.05, -0.08, 0.01, 0.02)


def test_missing_files_are_reported_and_skipped(tmp_path):
    scene = read_transforms(capture(tmp_path, NGP, frames(), photos=3))
    assert len(scene.photos) == 3
    assert tuple(map(str, scene.notices)) == (
        "1 of 4 photos listed in transforms.json do not exist: 3.png",
    )


def test_a_test_split_whose_photos_are_missing_does_not_matter(tmp_path):
    capture(tmp_path, NGP, frames(), name="transforms_train.json")
    gone = json.dumps(NGP | {"frames": frames(suffix=".webp", folder="gone")})
    (tmp_path / "transforms_test.json").write_text(gone)
    scene = read_transforms(tmp_path)
    assert (len(scene.photos), len(scene.held_out)) == (4, 0)
    assert "4 of 4 photos listed in transforms_test.json" in str(scene.notices[0])


def test_a_scaled_matrix_still_gives_a_rigid_pose(tmp_path):
    scaled = frames()
    for frame in scaled:
        matrix = np.array(frame["transform_matrix"])
        matrix[:3, :3] *= 0.1
        frame["transform_matrix"] = matrix[:3].tolist()  # 3x4 is in use too
    scene = read_transforms(capture(tmp_path, NGP, scaled))
    np.testing.assert_allclose(scene.photos[1].world_from_camera, POSES[1], atol=1e-12)


def broken(matrix_change=None, drop=None, header=None):
    def write(tmp_path):
        listed = frames()
        if matrix_change:
            matrix = np.array(listed[2]["transform_matrix"])
            matrix_change(matrix)
            listed[2]["transform_matrix"] = matrix.tolist()
        kept = {k: v for k, v in NGP.items() if k not in (drop or ())} | (header or {})
        capture(tmp_path, kept, listed)

    return write


def set_nan(matrix):
    matrix[0, 0] = np.nan


def flatten(matrix):
    matrix[:3, 1] = matrix[:3, 0]


CASES = {
    "NaN": (broken(matrix_change=set_nan), r"frame images/2\.png .*NaN"),
    "singular": (broken(matrix_change=flatten), r"frame images/2\.png .*singular"),
    "no intrinsics": (broken(drop=("fl_x", "fl_y")), "lacks intrinsics"),
    "text as focal": (broken(header={"fl_x": "long"}), "intrinsics that are not numbers"),
    "unknown model": (broken(header={"camera_model": "EQUIRECTANGULAR"}), "EQUIRECTANGULAR"),
    "lens of instant-ngp": (broken(header={"ftheta_p0": 0.0}), "FTHETA_P0"),
    "panorama of instant-ngp": (broken(header={"latlong": True}), "LATLONG"),
    "not JSON": (lambda p: (p / "transforms.json").write_text("{frames: ["), "is not valid JSON"),
    "a JSON list": (lambda p: (p / "transforms.json").write_text("[1]"), "lists no frames"),
    "no file found": (lambda p: capture(p, NGP, frames(), photos=0), "none of which exists"),
    "two photos": (lambda p: capture(p, NGP, frames(), photos=2), "only 2 usable photos"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_files_are_refused_in_one_line_that_names_them(tmp_path, case):
    write, words = CASES[case]
    write(tmp_path)
    with pytest.raises(UserError, match=words) as caught:
        read_transforms(tmp_path)
    assert str(tmp_path / "transforms.json") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_masks_of_another_size_are_refused_naming_both(tmp_path):
    listed = frames()
    for frame in listed:
        frame["mask_path"] = "mask.png"
    noise_photo(tmp_path / "mask.png", 0, (40, 30))
    with pytest.raises(UserError, match=r"mask\.png is 40x30 .* 80x60"):
        read_transforms(capture(tmp_path, NGP, listed))


@pytest.mark.skipif(not (DATA / "fox").is_dir(), reason="the shared captures are not here")
def test_the_fox_capture():
    scene = read_transforms(DATA / "fox" / "transforms.json")
    assert len(scene.photos) == 50
    assert str(scene.notices[0]).startswith("17 of 67 photos")


@pytest.mark.skipif(not (DATA / "vase").is_dir(), reason="the shared captures are not here")
def test_the_vase_capture():
    scene = read_transforms(DATA / "vase")
    assert (len(scene.photos), len(scene.held_out)) == (48, 8)
    assert scene.has_masks
