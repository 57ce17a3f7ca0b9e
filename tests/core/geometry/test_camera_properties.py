"""Laws of every lens within the part of the picture that its distortion is made for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.geometry.cameras import CameraModel, Intrinsics, pixel_directions, project
from tests.core.strategies import arrays, floats, log_floats, points

OPENCV = ((-0.3, 0.3), (-0.1, 0.1), (-0.002, 0.002), (-0.002, 0.002), (-0.02, 0.02))
RATIONAL = (*OPENCV, (-0.2, 0.2), (-0.05, 0.05), (-0.01, 0.01))
FISHEYE = ((-0.08, 0.08), (-0.02, 0.02), (-0.005, 0.005), (-0.001, 0.001))
DISTORTIONS: list[tuple[CameraModel, tuple[tuple[float, float], ...]]] = [
    ("pinhole", ()),
    ("opencv", OPENCV[:4]),
    ("opencv", OPENCV),
    ("opencv", RATIONAL),
    ("fisheye", FISHEYE),
]
"""Models, with the ranges of the coefficients that lenses have."""


@st.composite
def lenses(draw: st.DrawFn) -> Intrinsics:
    """A lens of any model, its focal lengths 0.4 to 3 of the width."""
    width, height = draw(st.integers(16, 4000)), draw(st.integers(16, 4000))
    model, ranges = draw(st.sampled_from(DISTORTIONS))
    return Intrinsics(
        width,
        height,
        width * draw(log_floats(0.4, 3.0)),
        width * draw(log_floats(0.4, 3.0)),
        width * draw(floats(0.3, 0.7)),
        height * draw(floats(0.3, 0.7)),
        model,
        tuple(draw(floats(*limits)) for limits in ranges),
    )


@given(lenses(), points(1, 20), log_floats(0.01, 100.0))
def test_the_pixel_of_a_point_has_the_direction_of_the_point(lens, x, scale):
    x = x + [0, 0, 1]
    x = x[np.linalg.norm(x, axis=1) > 0.1]
    with_margin = np.concatenate([x[:, :2] * 1.2, x[:, 2:]], 1)
    within = np.isfinite(project(lens, with_margin)).all(1)  # not at the fold, where none is stable
    widest = 3.0 if lens.model == "fisheye" else 1.2  # 143 and 100 degrees from side to side
    within &= np.hypot(x[:, 0], x[:, 1]) < widest * x[:, 2]
    assume(within.any())
    uv = project(lens, scale * x[within])
    directions = pixel_directions(lens, uv)
    expected = x[within] / np.linalg.norm(x[within], axis=1, keepdims=True)
    np.testing.assert_allclose(directions, expected, atol=1e-5)
    np.testing.assert_allclose(project(lens, directions), uv, atol=1e-3)


@given(lenses(), st.integers(1, 12).flatmap(lambda n: arrays((n, 2), -0.5, 1.5)))
def test_every_pixel_even_beyond_the_picture_has_a_unit_direction(lens, places):
    directions = pixel_directions(lens, places * [lens.width, lens.height])
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0, atol=1e-9)


@given(lenses(), st.integers(1, 4000))
def test_a_shrunk_lens_is_no_larger_than_asked_and_sees_the_same_directions(lens, side):
    small = lens.shrunk(side)
    assert max(small.width, small.height) <= max(side, 1)
    if small is lens:
        assert max(lens.width, lens.height) <= side
    grid = np.stack(np.meshgrid([0.25, 0.5, 0.75], [0.25, 0.5, 0.75]), -1).reshape(-1, 2)
    np.testing.assert_allclose(
        pixel_directions(small, grid * [small.width, small.height]),
        pixel_directions(lens, grid * [lens.width, lens.height]),
        atol=1e-9,
    )


@given(lenses(), log_floats(0.01, 100.0))
def test_the_axis_meets_the_principal_point_at_any_distance(lens, distance):
    uv = project(lens, np.array([[0, 0, distance]]))
    np.testing.assert_allclose(uv, [[lens.cx, lens.cy]])
    np.testing.assert_allclose(pixel_directions(lens, uv), [[0, 0, 1]], atol=1e-12)


@given(lenses(), points(1, 12))
def test_points_behind_a_lens_that_is_no_fisheye_have_no_pixel(lens, x):
    behind = x * [1, 1, 0] - [0, 0, 1]
    pixels = project(lens, behind)
    if lens.model != "fisheye":
        assert np.isnan(pixels).all()


@given(points(1, 12), log_floats(0.1, 10.0))
def test_without_distortion_all_models_but_the_fisheye_agree(x, focal):
    x = x + [0, 0, 4]
    pinhole = Intrinsics(100, 80, focal, 2 * focal, 50.0, 40.0)
    opencv = Intrinsics(100, 80, focal, 2 * focal, 50.0, 40.0, "opencv", (0.0,) * 4)
    u, v = project(pinhole, x).T
    assert u == pytest.approx(50 + focal * x[:, 0] / x[:, 2])
    assert v == pytest.approx(40 + 2 * focal * x[:, 1] / x[:, 2])
    np.testing.assert_allclose(project(opencv, x), np.stack([u, v], 1))
