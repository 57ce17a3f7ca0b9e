"""What the window makes of photos: ranking, small pictures, slices; and the size of a mesh."""

import io

import numpy as np
import pytest
from PIL import Image

from app.panels.mesh import estimate_text
from app.panels.photo_list import BY_NAME, EXCLUDED, HELD_OUT, USED, photo_caption, photo_rows
from app.state import AppState, reduce
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.slicing import MIN_CONTOUR_PX, slice_through
from app.viewport.thumbnails import MISSING_GREY, ThumbnailStore
from core.base.text import text
from core.config.mesh import MeshOptions
from core.config.run import RunOptions
from core.geometry.box import Box
from core.geometry.rigid import similarity
from core.geometry.view import IDENTITY
from core.protocol import (
    Arrangement,
    ExcludedPhotos,
    ExportEstimate,
    Opened,
    PhotoScored,
    Thumbnails,
)

NAMES = ("a", "b", "c", "d", "e")


def opened(upright=IDENTITY, region=IDENTITY) -> Opened:
    arranged = Arrangement((IDENTITY,) * 5, tuple(np.ravel(region)), tuple(np.ravel(upright)), "cm")
    return Opened(
        "p",
        text("test"),
        "cpu",
        4,
        1,
        0,
        False,
        arranged,
        NAMES,
        b"",
        0.8,
        1.5,
        8,
        RunOptions("draft", 3.0),
    )


def scored(**psnr) -> AppState:
    state = reduce(AppState(), opened())
    for name, value in psnr.items():
        state = reduce(state, PhotoScored(name, value, 10))
    return state


def test_the_worst_photo_comes_first_and_who_is_excluded_last():
    state = reduce(scored(a=20.0, b=12.0, c=8.0, e=15.0), ExcludedPhotos(("c",)))
    ranked = photo_rows(state)
    assert [row.name for row in ranked] == ["b", "e", "a", "d", "c"]
    assert [row.status for row in ranked] == [USED, HELD_OUT, USED, USED, EXCLUDED]
    assert [row.number for row in ranked] == [1, 4, 0, 3, 2]
    assert [row.name for row in photo_rows(state, BY_NAME)] == list(NAMES)
    assert photo_caption(state, "c") == "c, 8.0 dB, excluded"
    assert photo_caption(state, "d") == "d"
    assert photo_rows(reduce(state, opened()))[0].psnr is None, "another scene"


def test_small_pictures_are_all_of_one_size_and_new_when_some_arrive():
    data = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 10, 10)).save(data, "PNG")
    small = ThumbnailStore()
    small.reset(opened())
    before = small.images
    assert before.shape == (5, 64, 96, 3), "three to two, as the photos"
    small.add(Thumbnails(1, (data.getvalue(), b"")))
    assert small.images is not before
    assert (small.images[1] == (200, 10, 10)).all()
    assert (small.images[[0, 2, 3, 4]] == MISSING_GREY).all()


def test_a_slice_goes_through_the_region_along_the_upright_axes():
    turn = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])  # up is the scene's +X
    upright = similarity(20.0, turn, np.array([5.0, 0, 0]))
    region = Box.of(np.array([0.1, 0, 0]), np.array([0.5, 0.3, 2.0])).frame_from_cube
    arranged = opened(upright, region).arrangement
    middle = slice_through(arranged, 2, 0.5)
    np.testing.assert_allclose(middle.normal, (1, 0, 0), atol=1e-12)
    assert middle.offset == pytest.approx(0.1)
    assert slice_through(arranged, 2, 0.0).offset == pytest.approx(-0.4)
    along_y = [slice_through(arranged, 1, share).offset for share in (0, 1)]
    assert along_y == pytest.approx([-1, 1]), "no farther than the ball"
    camera = OrbitCamera(distance=3.0, fov_y=2 * np.arctan(0.5))  # 3 units over the height
    apart = middle.contour_spacing(camera, 600)
    assert apart == pytest.approx(5), (
        f"{MIN_CONTOUR_PX} pixels are {MIN_CONTOUR_PX * 3 / 600 * 20:.1f} cm"
    )
    assert middle.plane(camera, 600).spacing == pytest.approx(5 / 20)


def test_the_size_of_an_export_is_said_as_exactly_as_it_is_known():
    options = MeshOptions()
    exact = ExportEstimate(options, 251_720, 20_000_000, True)
    assert estimate_text(exact, 1.0, 1) == "251,720 triangles, 20 MB"
    assert estimate_text(exact, 0.5, 1) == "125,860 triangles, about 10 MB"
    about = ExportEstimate(options, 251_720, 20_000_000, False)
    assert estimate_text(about, 1.0, 1) == "About 250,000 triangles, about 20 MB"
    assert estimate_text(exact, 1.0, 3).startswith("251,720, 62,930, 15,732 triangles, about ")
    baked = ExportEstimate(MeshOptions(texture=True), 251_720, 20_000_000, False)
    assert estimate_text(baked, 1.0, 1).endswith("about 20 MB plus textures")
    assert (
        estimate_text(ExportEstimate(options, 0, 0, False), 1.0, 1)
        == "No surface in the region yet"
    )
