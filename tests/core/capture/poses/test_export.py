"""Written poses: what is in them, and that they replace nothing of other people."""

import numpy as np
import pytest

from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.open import open_capture
from core.capture.poses.export import write_poses
from core.capture.scene import Photo, Scene
from core.geometry.cameras import Intrinsics
from tests.core.captures import LENS, noise_photo, orbit


def assert_same_cameras(scene, out):
    """What `write_poses` wrote is read back, by both readers, as it was."""
    for path in (out, out / "sparse"):
        read = run_task(open_capture(path))
        assert len(read.photos) == len(scene.photos)
        for a, b in zip(scene.photos, read.photos):
            assert a.path.samefile(b.path)
            np.testing.assert_allclose(a.world_from_camera, b.world_from_camera, atol=1e-9)
            assert (a.intrinsics.width, a.intrinsics.fx, a.intrinsics.model) == (
                b.intrinsics.width,
                b.intrinsics.fx,
                b.intrinsics.model,
            )
            np.testing.assert_allclose(
                a.intrinsics.distortion, b.intrinsics.distortion[: len(a.intrinsics.distortion)]
            )
        assert len(read.points) == len(scene.points)


@pytest.mark.parametrize("model", ["pinhole", "opencv", "fisheye"])
def test_written_poses_are_read_back(tmp_path, model):
    distortion = {
        "pinhole": (),
        "opencv": (0.1, -0.05, 0.01, 0.002, 0.01, 0.02, 0.03, 0.04),
        "fisheye": (0.1, -0.05, 0.01, 0.002),
    }[model]
    lenses = [
        Intrinsics(80, 60, 70.0 + i % 2, 71.0, 40.0, 30.0, model, distortion) for i in range(4)
    ]
    photos = tuple(
        Photo(f"{i}.png", noise_photo(tmp_path / "in" / f"{i}.png", i), lens, pose)
        for i, (lens, pose) in enumerate(zip(lenses, orbit(4)))
    )
    points = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    scene = Scene("test", photos, np.eye(4), points=points)
    write_poses(scene, tmp_path / "out")
    assert_same_cameras(scene, tmp_path / "out")


def posed(folder, listed):
    """Four posed photos in ``folder``, called as ``listed``."""
    files = [noise_photo(folder / f"p{i}.png", i) for i in range(len(listed))]
    photos = tuple(
        Photo(name, file, LENS, pose) for name, file, pose in zip(listed, files, orbit(len(listed)))
    )
    return Scene("test", photos, np.eye(4))


@pytest.mark.parametrize(
    "listed",
    [
        ["../../photos/a.png", "../b.png", "/c.png", "d.png"],
        [f"/somewhere/{i}/a.png" for i in range(4)],
        [r"C:\photos\a.png", r"..\a.png", "a.png", "A.PNG"],
        ["images/a.png", "a.png", "images/../b.png", "./c.png"],
    ],
)
def test_names_lead_nowhere_else_and_are_unique(tmp_path, listed):
    scene = posed(tmp_path / "in" / "photos", listed)
    before = contents(tmp_path / "in")
    write_poses(scene, tmp_path / "deep" / "out")
    assert contents(tmp_path / "in") == before
    assert {p.name for p in tmp_path.iterdir()} == {"in", "deep"}
    assert {p.name for p in (tmp_path / "deep").iterdir()} == {"out"}
    for path in (tmp_path / "deep" / "out", tmp_path / "deep" / "out" / "sparse"):
        read = {p.path.resolve(): p for p in run_task(open_capture(path)).photos}
        for photo in scene.photos:
            np.testing.assert_allclose(
                read[photo.path.resolve()].world_from_camera, photo.world_from_camera, atol=1e-9
            )


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_photos_of_another_capture_are_not_replaced(tmp_path):
    listed = [f"images/{i}.png" for i in range(4)]
    statue = posed(tmp_path / "statue", listed)
    for i in range(4):
        noise_photo(tmp_path / "fountain" / "images" / f"{i}.png", 10 + i)
    before = contents(tmp_path)
    with pytest.raises(UserError, match=r"0\.png exists already, and Gradina did not write it"):
        write_poses(statue, tmp_path / "fountain")
    assert contents(tmp_path) == before


def test_poses_are_written_again_and_links_of_before_go(tmp_path):
    out = tmp_path / "out"
    write_poses(posed(tmp_path / "a", [f"{i}.png" for i in range(4)]), out)
    (out / "images" / "mine.png").write_bytes(b"a person's own")
    fewer = posed(tmp_path / "b", [f"{i}.png" for i in range(3)])
    write_poses(fewer, out)
    assert {p.name for p in (out / "images").iterdir()} == {"0.png", "1.png", "2.png", "mine.png"}
    assert_same_cameras(fewer, out)


def test_an_unwritable_output_is_refused(tmp_path):
    photo = Photo("a.png", noise_photo(tmp_path / "a.png", 0), LENS, np.eye(4))
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match=r"taken/.* cannot be written"):
        write_poses(Scene("test", (photo,), np.eye(4)), tmp_path / "taken")
