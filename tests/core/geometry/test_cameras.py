import numpy as np
import pytest

from core.geometry.cameras import Intrinsics, pixel_directions, project

PHONE = (0.0578, -0.0805, -0.00098, 0.000156)
LENSES = {
    "pinhole": Intrinsics(640, 480, 500.0, 510.0, 322.0, 238.0),
    "opencv": Intrinsics(640, 480, 500.0, 510.0, 322.0, 238.0, "opencv", PHONE),
    "barrel": Intrinsics(640, 480, 350.0, 350.0, 320.0, 240.0, "opencv", (-0.25, 0.06)),
    "rational": Intrinsics(
        640,
        480,
        400.0,
        400.0,
        320.0,
        240.0,
        "opencv",
        (0.4, -0.1, 0.001, -0.0005, 0.02, 0.5, -0.05, 0.01),
    ),
    "fisheye": Intrinsics(
        800, 800, 250.0, 250.0, 400.0, 400.0, "fisheye", (0.05, -0.01, 0.002, -0.0001)
    ),
}


def pixel_grid(lens: Intrinsics) -> np.ndarray:
    columns, rows = (np.linspace(0.5, side - 0.5, 41) for side in (lens.width, lens.height))
    u, v = np.meshgrid(columns, rows)
    return np.stack([u.ravel(), v.ravel()], 1)


@pytest.mark.parametrize("name", LENSES)
def test_projecting_the_direction_of_a_pixel_gives_the_pixel(name):
    lens = LENSES[name]
    uv = pixel_grid(lens)
    directions = pixel_directions(lens, uv)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0, atol=1e-12)
    distances = np.linspace(0.5, 7.0, len(uv))[:, None]
    assert np.abs(project(lens, distances * directions) - uv).max() < 1e-4


def test_the_axis_meets_the_principal_point():
    for lens in LENSES.values():
        np.testing.assert_allclose(project(lens, np.array([[0, 0, 2.0]])), [[lens.cx, lens.cy]])


def test_pinhole_arithmetic():
    lens = Intrinsics(100, 80, 50.0, 40.0, 50.0, 40.0)
    # 1 right and 2 down at depth 4: 50 + 50 · 1/4, 40 + 40 · 2/4
    np.testing.assert_allclose(project(lens, np.array([[1.0, 2.0, 4.0]])), [[62.5, 60.0]])


def test_radial_and_tangential_arithmetic():
    lens = Intrinsics(2, 2, 1.0, 1.0, 0.0, 0.0, "opencv", (0.1, 0.0, 0.01, 0.02))
    # x = 0.5, y = 0, r² = 0.25: x · (1 + 0.1 · 0.25) + p2 · (r² + 2x²), p1 · r²
    np.testing.assert_allclose(
        project(lens, np.array([[0.5, 0.0, 1.0]])), [[0.5 * 1.025 + 0.02 * 0.75, 0.01 * 0.25]]
    )


def test_a_fisheye_sees_to_the_side_and_beyond():
    lens = LENSES["fisheye"]
    sideways = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, -0.2]])
    uv = project(lens, sideways)
    expected = sideways / np.linalg.norm(sideways, axis=1, keepdims=True)
    np.testing.assert_allclose(pixel_directions(lens, uv), expected, atol=1e-6)


def test_points_behind_a_pinhole_have_no_pixel():
    assert np.isnan(project(LENSES["pinhole"], np.array([[0.1, 0.2, -1.0]]))).all()


def test_what_lies_beyond_the_fold_of_the_distortion_does_not_come_back_into_the_picture():
    lens = Intrinsics(640, 480, 350.0, 350.0, 320.0, 240.0, "opencv", (-0.25, 0.0))
    # r (1 - r²/4) turns at r = √(4/3); at r = 2 it is back at the centre of the picture
    uv = project(lens, np.array([[1.1, 0.0, 1.0], [2.0, 0.0, 1.0]]))
    assert np.isfinite(uv[0]).all()
    assert np.isnan(uv[1]).all()


def test_a_scaled_lens_sees_the_same_directions():
    lens = LENSES["opencv"]
    small = lens.shrunk(160)
    assert (small.width, small.height) == (160, 120)
    uv = pixel_grid(lens)
    np.testing.assert_allclose(
        pixel_directions(small, uv / 4), pixel_directions(lens, uv), atol=1e-12
    )
    assert lens.shrunk(1000) is lens
