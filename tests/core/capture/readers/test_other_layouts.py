"""Captures of other programs, written from known cameras and read back."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.open import describe_input, open_capture
from core.geometry.rigid import invert, world_from_opengl_camera
from tests.core.captures import LENS, noise_photo, orbit

POSES = orbit(5)
Y_UP_FROM_Z_UP = np.array([[0.0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])


def photos(folder, names):
    for i, name in enumerate(names):
        noise_photo(folder / name, i)


def llff(folder):
    photos(folder / "images", [f"IMG_{i}.png" for i in range(5)])
    rows = []
    for pose in POSES:
        right, up, backward, center = world_from_opengl_camera(pose)[:3].T
        size = [LENS.height, LENS.width, LENS.fx]
        matrix = np.stack([-up, right, backward, center, size], 1)
        rows.append([*matrix.ravel(), 1.0, 9.0])
    np.save(folder / "poses_bounds.npy", rows)
    return folder / "poses_bounds.npy"


def mvsnet(folder):
    photos(folder / "blended_images", [f"{i:08d}.jpg" for i in range(5)])
    (folder / "cams").mkdir()
    for i, pose in enumerate(POSES):
        rows = "\n".join(" ".join(map(str, row)) for row in invert(pose))
        text = f"extrinsic\n{rows}\n\nintrinsic\n70 0 39.5\n0 70 29.5\n0 0 1\n\n1.0 0.01\n"
        (folder / "cams" / f"{i:08d}_cam.txt").write_text(text)
    return folder / "cams" / "00000001_cam.txt"


def arkit(pose):
    """+Y up, OpenGL camera axes."""
    return Y_UP_FROM_Z_UP @ world_from_opengl_camera(pose)


def polycam(folder):
    photos(folder / "keyframes" / "images", [f"{900 + i}.jpg" for i in range(5)])
    (folder / "keyframes" / "cameras").mkdir()
    for i, pose in enumerate(POSES):
        entry = {f"t_{r}{c}": arkit(pose)[r, c] for r in range(3) for c in range(4)}
        entry |= {"fx": 70, "fy": 70, "cx": 40, "cy": 30, "width": 80, "height": 60}
        (folder / "keyframes" / "cameras" / f"{900 + i}.json").write_text(json.dumps(entry))
    return folder / "keyframes" / "cameras" / "901.json"


def record3d(folder):
    photos(folder / "rgbd", [f"{i}.jpg" for i in range(5)])
    poses = [[*Rotation.from_matrix(arkit(p)[:3, :3]).as_quat(), *arkit(p)[:3, 3]] for p in POSES]
    data = {"K": [70, 0, 0, 0, 70, 0, 40, 30, 1], "w": 80, "h": 60, "poses": poses}
    (folder / "metadata.json").write_text(json.dumps(data))
    return folder / "metadata.json"


LAYOUTS = {"LLFF": llff, "MVSNet": mvsnet, "Polycam": polycam, "Record3D": record3d}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_cameras_are_read_as_they_were_written(tmp_path, kind):
    LAYOUTS[kind](tmp_path)
    told = describe_input(tmp_path)
    assert kind in str(told[0])
    assert str(told[1]) == "5 photos with poses"
    scene = run_task(open_capture(tmp_path))
    assert kind in str(scene.kind)
    for photo, pose in zip(scene.photos, POSES, strict=True):
        np.testing.assert_allclose(photo.world_from_camera, pose, atol=1e-6)
        assert photo.path.is_file()
        assert photo.intrinsics == LENS
    assert scene.unit == ("m" if kind in ("Polycam", "Record3D") else ""), "what phones measure"


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_damaged_camera_is_named(tmp_path, kind):
    file = LAYOUTS[kind](tmp_path)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError) as caught:
        run_task(open_capture(tmp_path))
    assert file.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_poses_must_be_as_many_as_photos(tmp_path):
    llff(tmp_path)
    noise_photo(tmp_path / "images" / "more.png", 9)
    with pytest.raises(UserError, match="5 poses for 6 photos"):
        run_task(open_capture(tmp_path))


def test_a_phone_that_focuses_anew_has_a_lens_for_each_photo(tmp_path):
    file = record3d(tmp_path / "EXR_RGBD")
    data = json.loads(file.read_text())
    data["perFrameIntrinsicCoeffs"] = [[70 + i, 71 + i, 40, 30] for i in range(5)]
    file.write_text(json.dumps(data))
    lenses = [p.intrinsics for p in run_task(open_capture(tmp_path)).photos]
    assert [(lens.fx, lens.fy, lens.cx) for lens in lenses] == [
        (70 + i, 71 + i, 40) for i in range(5)
    ]
    data["perFrameIntrinsicCoeffs"].pop()
    file.write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"metadata\.json .*4 lenses for 5 photos"):
        run_task(open_capture(tmp_path))


@pytest.mark.parametrize("kind", ["MVSNet", "Polycam"])
def test_missing_photos_are_said(tmp_path, kind):
    LAYOUTS[kind](tmp_path)
    next(tmp_path.rglob("*1.jpg")).unlink()
    scene = run_task(open_capture(tmp_path))
    assert len(scene.photos) == 4
    assert "1 of 5 photos" in str(scene.notices[0])


def test_the_cameras_that_polycam_adjusted_are_preferred(tmp_path):
    polycam(tmp_path)
    keyframes = tmp_path / "keyframes"
    for name in ("cameras", "images"):
        (keyframes / name).rename(keyframes / f"corrected_{name}")
    polycam_again = tmp_path / "again"
    polycam(polycam_again)
    for file in (polycam_again / "keyframes" / "cameras").iterdir():
        file.write_text("{}")
    (polycam_again / "keyframes" / "cameras").rename(keyframes / "cameras")
    assert len(run_task(open_capture(tmp_path)).photos) == 5
