import shutil

import numpy as np
import pycolmap
import pytest

from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.open import describe_input, open_capture
from core.capture.readers.colmap import intrinsics_from_camera, read_colmap, sub_models
from core.config.opening import OpenOptions
from core.geometry.cameras import project
from core.geometry.rigid import invert
from tests.core.captures import DATA, LENS, noise_photo, orbit, pixels_of

POSES = orbit(5)
POINTS = np.random.default_rng(0).uniform(-1, 1, (120, 3))


def model(poses, folder, text=False, names=None):
    """A COLMAP model whose points are seen, exactly, by all photos."""
    built = pycolmap.Reconstruction()
    camera = pycolmap.Camera(
        camera_id=1, model="PINHOLE", width=80, height=60, params=[70.0, 70.0, 40.0, 30.0]
    )
    built.add_camera_with_trivial_rig(camera)
    for i, pose in enumerate(poses, start=1):
        image = pycolmap.Image((names or "{}.png").format(i), camera_id=1, image_id=i)
        image.points2D = pycolmap.Point2DList(
            [pycolmap.Point2D(uv) for uv in pixels_of(LENS, pose, POINTS)]
        )
        built.add_image_with_trivial_frame(image, pycolmap.Rigid3d(invert(pose)[:3]))
    for k, point in enumerate(POINTS):
        elements = [pycolmap.TrackElement(i, k) for i in range(1, len(poses) + 1)]
        built.add_point3D(point, pycolmap.Track(elements), np.zeros(3, np.uint8))
    built.update_point_3d_errors()
    folder.mkdir(parents=True, exist_ok=True)
    (built.write_text if text else built.write_binary)(str(folder))


def photos(folder, n=5):
    for i in range(1, n + 1):
        noise_photo(folder / f"{i}.png", i)


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("opened", ["", "sparse", "sparse/0"])
def test_binary_and_text_models_from_any_of_their_folders(tmp_path, text, opened):
    model(POSES, tmp_path / "sparse" / "0", text)
    photos(tmp_path / "images")
    scene = read_colmap(tmp_path / opened)
    assert [p.name for p in scene.photos] == [f"{i}.png" for i in range(1, 6)]
    for photo, pose in zip(scene.photos, POSES):
        np.testing.assert_allclose(photo.world_from_camera, pose, atol=1e-9)
    assert len(scene.points) == len(POINTS)
    assert scene.notices == ()


def test_of_several_sub_models_the_largest_is_used(tmp_path):
    model(POSES[:3], tmp_path / "sparse" / "0")
    model(POSES, tmp_path / "sparse" / "1")
    photos(tmp_path / "input")
    scene = read_colmap(tmp_path)
    assert len(scene.photos) == 5
    assert tuple(map(str, scene.notices)) == ("2 sub-models; 1 with 5 photos is used",)
    assert sub_models(tmp_path) == [("1", 5), ("0", 3)]
    assert len(read_colmap(tmp_path, 1).photos) == 3
    with pytest.raises(UserError, match="no sub-model 2: there are 2"):
        read_colmap(tmp_path, 2)
    assert "sub-model 1: 0, 3 photos" in map(str, describe_input(tmp_path))
    second = OpenOptions(group=1)
    assert len(run_task(open_capture(tmp_path, options=second)).photos) == 3
    assert str(describe_input(tmp_path, second)[1]) == "3 photos with poses"


def test_missing_photos_are_reported(tmp_path):
    model(POSES, tmp_path / "sparse")
    photos(tmp_path / "images", 4)
    scene = read_colmap(tmp_path)
    assert len(scene.photos) == 4
    assert tuple(map(str, scene.notices)) == (
        "1 of 5 photos listed in the COLMAP model do not exist: 5.png",
    )


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("SIMPLE_PINHOLE", [70, 40, 30]),
        ("PINHOLE", [70, 71, 40, 30]),
        ("SIMPLE_RADIAL", [70, 40, 30, 0.1]),
        ("RADIAL", [70, 40, 30, 0.1, -0.05]),
        ("OPENCV", [70, 71, 40, 30, 0.1, -0.05, 0.01, 0.02]),
        ("FULL_OPENCV", [70, 71, 40, 30, 0.1, -0.05, 0.01, 0.02, 0.03, 0.2, -0.1, 0.05]),
        ("SIMPLE_RADIAL_FISHEYE", [70, 40, 30, 0.1]),
        ("RADIAL_FISHEYE", [70, 40, 30, 0.1, 0.02]),
        ("OPENCV_FISHEYE", [70, 71, 40, 30, 0.1, -0.05, 0.01, 0.02]),
    ],
)
def test_our_projection_agrees_with_colmap(name, params):
    camera = pycolmap.Camera(camera_id=1, model=name, width=80, height=60, params=params)
    points = np.random.default_rng(1).uniform((-0.6, -0.6, 1), (0.6, 0.6, 2), (50, 3))
    ours = project(intrinsics_from_camera(camera), points)
    np.testing.assert_allclose(ours, [camera.img_from_cam(p) for p in points], atol=1e-9)


def test_an_unsupported_camera_model_is_named():
    camera = pycolmap.Camera(camera_id=1, model="FOV", width=8, height=6, params=[7, 7, 4, 3, 0.1])
    with pytest.raises(UserError, match="FOV"):
        intrinsics_from_camera(camera)


def test_a_model_without_images_is_refused_and_its_photos_are_pointed_out(tmp_path):
    model(POSES, tmp_path / "sparse" / "0")
    (tmp_path / "sparse" / "0" / "images.bin").unlink()
    photos(tmp_path / "input")
    with pytest.raises(UserError, match=r"lacks images\.bin") as caught:
        read_colmap(tmp_path)
    assert str(tmp_path / "input") in str(caught.value)


def test_a_truncated_model_is_refused(tmp_path):
    model(POSES, tmp_path / "sparse" / "0")
    path = tmp_path / "sparse" / "0" / "points3D.bin"
    path.write_bytes(path.read_bytes()[:200])
    photos(tmp_path / "images")
    with pytest.raises(UserError, match="damaged or incomplete"):
        read_colmap(tmp_path)


def test_a_model_whose_photos_are_gone_is_refused(tmp_path):
    model(POSES, tmp_path / "sparse" / "0")
    with pytest.raises(UserError, match="None of the 5 photos"):
        read_colmap(tmp_path)


@pytest.mark.skipif(
    not (DATA / "snowmiku_plush_1344").is_dir(), reason="the shared captures are not here"
)
def test_the_incomplete_plush_model_points_to_its_photos():
    with pytest.raises(UserError, match=r"lacks images\.bin.*snowmiku_plush_1344/input"):
        read_colmap(DATA / "snowmiku_plush_1344")


def test_photos_below_the_model_folder_in_subfolders(tmp_path):
    model(POSES, tmp_path / "sparse" / "0", names="left/{}.png")
    photos(tmp_path / "images" / "left")
    scene = read_colmap(tmp_path)
    assert scene.photos[0].name == "left/1.png"
    shutil.rmtree(tmp_path / "images" / "left")
    with pytest.raises(UserError):
        read_colmap(tmp_path)
