"""The photo looked through, undistorted into the view, and what it is compared with."""

import math
import time

import numpy as np
import pytest
import torch
from PIL import Image

from core.capture.scene import Photo, Scene
from core.geometry.cameras import Intrinsics, pixel_directions
from core.geometry.view import View
from core.rendering.preview import view_rays
from core.session.viewer.photo_view import PhotoLoader, UndistortedPhoto, undistort_photo
from tests.core.captures import look_at

LENSES = [
    Intrinsics(160, 120, 110.0, 115.0, 84.0, 55.0),
    Intrinsics(160, 120, 110.0, 110.0, 80.0, 60.0, "opencv", (-0.2, 0.05, 1e-3, -1e-3)),
    Intrinsics(160, 120, 80.0, 80.0, 80.0, 60.0, "fisheye", (0.02, -0.01)),
]
POSE = look_at(np.array([0.3, -2.0, 0.6]), np.zeros(3))


def painted(directions):
    """Smooth sRGB [..., 3] of directions in the world: what a photo of a far sky would show."""
    return 0.5 + 0.4 * np.sin(3 * directions @ np.array([[1, 0, 2], [0, 1, -1], [1, 1, 0.5]]))


def capture(folder, lens) -> Scene:
    """One photo through ``lens`` of a painted sky."""
    v, u = np.mgrid[0 : lens.height, 0 : lens.width]
    rays = pixel_directions(lens, np.stack([u.ravel(), v.ravel()], -1) + 0.5)
    picture = painted(rays @ POSE[:3, :3].T).reshape(lens.height, lens.width, 3)
    Image.fromarray((255 * picture).round().astype(np.uint8)).save(folder / "a.png")
    return Scene("test", (Photo("a", folder / "a.png", lens, POSE),), np.eye(4))


def through(photo="a", fov=0.9, width=200, height=140, pose=POSE, view_id=1, **more):
    pose = tuple(np.asarray(pose).ravel().tolist())
    return View(view_id, pose, fov, width, height, photo=photo, **more)


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.model)
def test_a_photo_is_undistorted_into_the_view(tmp_path, lens):
    """Whatever its lens, a pixel of the view shows what lies in that pixel's own direction."""
    scene, view = capture(tmp_path, lens), through()
    truth = undistort_photo(scene, scene.photos[0], view)
    directions = view_rays(view, 200, 140, torch.device("cpu"))[1].numpy().reshape(140, 200, 3)
    assert truth.known.mean() > 0.5
    wrong = np.abs(truth.colors - painted(directions))[truth.known]
    assert np.median(wrong) < 0.004, "eight bits and bilinear"
    assert wrong.max() < 0.03


def test_beyond_the_photo_nothing_is_known(tmp_path):
    lens = LENSES[0]
    scene = capture(tmp_path, lens)
    truth = undistort_photo(scene, scene.photos[0], through(fov=1.4))
    scale = 0.5 * 140 / math.tan(0.7)  # pixels of the view to the unit of the image plane
    assert truth.known.sum() == pytest.approx(
        lens.width / lens.fx * lens.height / lens.fy * scale**2, rel=0.05
    )
    assert truth.picture()[0, 0].max() < 60, "dark"
    white, grey = (1.0, 1.0, 1.0), (0.5, 0.5, 0.5)
    light = truth.picture((white, grey))
    assert (light[0, 0, 0], light[-1, 0, 0]) == (255, 128), "as the view wants it"


def test_fewer_pixels_are_means_of_what_is_known():
    colors = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    known = np.ones((8, 8), bool)
    known[:, 6:] = False
    small = UndistortedPhoto(colors, known).at(4, 4)
    np.testing.assert_allclose(
        small.colors[:, :3], colors.reshape(4, 2, 4, 2, 3).mean((1, 3))[:, :3], atol=1e-6
    )
    assert small.known.tolist() == [[True, True, True, False]] * 4


def finished(finder):
    deadline = time.monotonic() + 20
    while finder.work():
        assert time.monotonic() < deadline


def test_the_photo_is_shown_once_for_each_place_that_it_is_seen_from(tmp_path):
    scene = capture(tmp_path, LENSES[1])
    shown, said = [], []
    finder = PhotoLoader(lambda image, view: shown.append((view.view_id, image.shape)), said.append)
    for view, asks in [
        (through(view_id=1), True),
        (through(view_id=2, mode="normals"), False),  # the photo is the same
        (through(view_id=3, width=100), True),
        (through(view_id=4, photo=""), False),
        (through(view_id=5, photo="nobody"), False),
        (through(view_id=6, moving=True), False),
        (through(view_id=7), True),
    ]:
        finder.look(view, scene)
        assert finder.work() == asks, view.view_id
        finished(finder)
    assert shown == [(1, (140, 200, 3)), (3, (140, 100, 3)), (7, (140, 200, 3))]
    (tmp_path / "a.png").write_bytes(b"damaged")
    finder.look(through(view_id=8, width=50), scene)
    finished(finder)
    assert len(shown) == 3
    assert "a.png" in str(said[0].text)
