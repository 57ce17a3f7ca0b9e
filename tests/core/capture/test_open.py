import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.open import DetectedInput, describe_input, hold_out_every, open_capture
from core.capture.region import fit_to_masks
from core.geometry.rigid import world_from_opengl_camera
from core.geometry.scene_ball import ball_from_scene
from tests.core.capture.readers import test_colmap, test_idr, test_transforms
from tests.core.captures import LENS, ball_mask, noise_photo, orbit


def object_capture(tmp_path, center, radius):
    """RGBA photos of a ball, in NeRF-synthetic layout, around the origin."""
    frames = []
    for i, pose in enumerate(orbit(12)):
        pixels = np.full((60, 80, 4), 120, np.uint8)
        pixels[..., 3] = 255 * ball_mask(LENS, pose, center, radius)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        frames.append(
            {"file_path": f"./{i}", "transform_matrix": world_from_opengl_camera(pose).tolist()}
        )
    header = {"fl_x": LENS.fx, "cx": LENS.cx, "cy": LENS.cy}
    (tmp_path / "transforms.json").write_text(json.dumps(header | {"frames": frames}))
    return tmp_path


def test_an_object_with_masks_fills_the_ball(tmp_path):
    center, radius = np.array([0.2, -0.1, 0.3]), 0.5
    scene = run_task(open_capture(object_capture(tmp_path, center, radius)))
    found, size = ball_from_scene(scene.scene_from_input)
    away = np.linalg.norm(found - center)
    assert away + radius < size < 1.3 * radius
    np.testing.assert_allclose(scene.scene_from_input[:3, :3] * size, np.eye(3), atol=1e-12)


def test_the_ball_of_a_capture_without_masks_is_left_alone(tmp_path):
    scene = run_task(open_capture(object_capture(tmp_path, np.zeros(3), 0.5)))
    assert run_task(fit_to_masks(replace(scene, has_masks=False))).scene_from_input is (
        scene.scene_from_input
    )


def test_each_kind_is_recognised_and_read(tmp_path):
    ngp = test_transforms.capture(tmp_path / "ngp", test_transforms.NGP, test_transforms.frames())
    test_colmap.model(test_colmap.POSES, tmp_path / "colmap" / "sparse" / "0")
    test_colmap.photos(tmp_path / "colmap" / "images")
    (tmp_path / "dtu").mkdir()
    dtu = test_idr.capture(tmp_path / "dtu", masks=False)
    for path, words, kind in (
        (ngp, "transforms.json", "transforms.json"),
        (ngp / "transforms.json", "transforms.json", "transforms.json"),
        (tmp_path / "colmap", "COLMAP", "COLMAP model"),
        (dtu, "IDR/DTU", "IDR/DTU"),
    ):
        assert words in str(describe_input(path)[0])
        assert kind in str(run_task(open_capture(path)).kind)


def test_a_plain_folder_is_recognised_as_photos(tmp_path):
    for i in range(3):
        noise_photo(tmp_path / f"{i}.png", i)
    told = [str(line) for line in describe_input(tmp_path)]
    assert "3 photos without poses" in told[0]
    assert told[1] == "camera: 3 photos of 80x60, focal length unknown, to be solved"


def test_photos_that_cannot_be_read_hide_nothing_of_the_others(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "live.heic").write_bytes(b"")
    for i in range(9):
        noise_photo(tmp_path / f"{i}.png", i, (80 + 10 * (i % 7), 60))
    (tmp_path / "0.png").write_bytes(b"cut")
    told = [str(line) for line in describe_input(tmp_path)]
    assert told[1] == "camera: 2 photos of 90x60, focal length unknown, to be solved"
    assert told[-3:] == [
        "and 2 other sizes or focal lengths",
        "1 cannot be read: 0.png. Copy it again, or remove it",
        "1 cannot be read: live.heic. Run pip install 'gradina[heic]', or convert the photos to "
        "JPEG",
    ]


def test_the_detected_input_is_reported_before_it_is_read(tmp_path):
    ngp = object_capture(tmp_path, np.zeros(3), 0.5)
    told = []
    run_task(open_capture(ngp), lambda progress: told.append(progress.partial_result))
    [detected] = [found for found in told if found]
    assert isinstance(detected, DetectedInput)
    assert list(map(str, detected.lines)) == [f"{tmp_path.name}: a posed capture (transforms.json)"]
    assert list(map(str, describe_input(ngp))) == [
        f"{tmp_path.name}: a posed capture (transforms.json)",
        "12 photos with poses",
        "transparent parts of the photos are masked",
    ]


def test_a_video_in_a_folder_without_enough_photos_is_opened(tmp_path):
    noise_photo(tmp_path / "0.png", 0)
    (tmp_path / "walk.mp4").write_bytes(b"")
    assert str(describe_input(tmp_path)[0]) == f"{tmp_path.name}/walk.mp4: a video"
    (tmp_path / "again.mov").write_bytes(b"")
    with pytest.raises(UserError, match="holds 2 videos"):
        describe_input(tmp_path)
    for i in range(1, 3):
        noise_photo(tmp_path / f"{i}.png", i)
    assert "a folder of 3 photos" in str(describe_input(tmp_path)[0]), (
        "videos beside photos are ignored"
    )


def test_paths_that_hold_nothing_are_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    archive = tmp_path / "scan.zip"
    archive.write_bytes(b"PK")
    for path, words in (
        (archive, "is an archive. Unpack it"),
        (tmp_path / "none", "does not exist"),
        (text, "not a capture"),
        (tmp_path, "holds no photos"),
        (tmp_path / ("x" * 300), "cannot be read"),
    ):
        with pytest.raises(UserError, match=words) as caught:
            run_task(open_capture(path))
        assert str(path) in str(caught.value)


def test_every_eighth_photo_is_held_out_once(tmp_path):
    scene = run_task(open_capture(object_capture(tmp_path, np.zeros(3), 0.5)))
    split = hold_out_every(scene, 8)
    assert [p.name for p in split.held_out] == ["0", "8"]
    assert len(split.photos) == 10
    assert hold_out_every(split, 2) is split
