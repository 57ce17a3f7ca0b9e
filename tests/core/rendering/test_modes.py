"""Slice, levels and error, of the one surface that is known: the initial sphere."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.base.colormaps import (
    INSIDE_COLOR,
    MAX_ERROR,
    OUTSIDE_COLOR,
    ZERO_LEVEL_COLOR,
    error_colors,
    level_colors,
)
from core.base.jobs import run_task
from core.geometry.view import SlicePlane
from core.rendering.error import color_error, error_picture, render_error
from core.rendering.level_map import level_turns
from core.rendering.preview import trace_field
from core.rendering.shading import AMBIENT, CLAY
from core.rendering.slice import draw_contours, render_slice
from tests.core.rendering.test_preview import CONFIG, DISTANCE, FOV, RADIUS, picture, sphere, view

__all__ = ["sphere"]
SIZE = 128


def sliced(sphere, offset, spacing=0.1):
    seen = view(width=SIZE, height=SIZE, mode="slice", plane=SlicePlane((0, 0, 1), offset, spacing))
    return run_task(
        render_slice(sphere[0], trace_field(*sphere, None, "slice"), seen, SIZE, SIZE)
    ).astype(int)


def from_middle(offset):
    """[H, W] distance in the plane from the sphere's axis, scene units, of each pixel."""
    u, v = np.meshgrid(*2 * [np.arange(SIZE) + 0.5 - SIZE / 2])
    return np.hypot(u, v) * (DISTANCE + offset) * 2 * math.tan(FOV / 2) / SIZE


@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_a_slice_of_a_sphere_is_a_disc_with_circles_around_it(sphere, offset):
    image, r = sliced(sphere, offset), from_middle(offset)
    radius, pixel = math.sqrt(RADIUS**2 - offset**2), r[0, 1] - r[0, 0]
    pixel = abs(pixel) * math.sqrt(2)
    line = (np.abs(image - 255 * np.array(ZERO_LEVEL_COLOR)) < 12).all(-1)
    assert np.abs(r[line] - radius).max() < 3 * pixel + 0.02, "its line is a circle"
    angles = np.arctan2(*np.nonzero(line)[::-1] - np.array([[SIZE / 2]] * 2))
    assert len(np.unique((angles * 4).round())) > 20, "all around"
    red_minus_blue = image[..., 0] - image[..., 2]
    assert (red_minus_blue[r < radius - 4 * pixel] > 0).all(), "orange inside"
    outside = (r > radius + 4 * pixel) & (np.hypot(r, offset) < 0.98)
    assert (red_minus_blue[outside] < 0).all(), "blue outside"
    beyond = image[np.hypot(r, offset) > 1.02]
    assert np.ptp(beyond[:, 0]) < 25, "nothing where there is no region"


def test_contours_are_as_far_apart_as_asked():
    """Along a line, the darkest pixels stand where the distance is a multiple of the spacing."""
    x = (np.arange(400) + 0.5) / 400 - 0.2
    tone = draw_contours(np.tile(x, (3, 1)), 0.1)[1].sum(-1)
    dips = np.flatnonzero((tone[1:-1] < tone[:-2]) & (tone[1:-1] <= tone[2:])) + 1
    away = np.abs(x[dips] / 0.1 - np.round(x[dips] / 0.1))
    assert (away < 0.05).all()
    assert set(np.round(x[dips] / 0.1).astype(int)) >= {-1, 1, 2, 3, 4, 5, 6, 7}
    alone = draw_contours(x[None], 0.1)[0].sum(-1)
    np.testing.assert_allclose(alone, tone, atol=1e-9, err_msg="a picture of one row")
    zero = draw_contours(np.tile(x, (3, 1)), 0.1)[1, np.abs(x) < 1 / 800 + 1e-9]
    np.testing.assert_allclose(zero, np.tile(ZERO_LEVEL_COLOR, (len(zero), 1)), atol=1e-6)
    near = draw_contours(np.tile(x, (3, 1)), 0.4)[1]
    hue = near / near.max(-1, keepdims=True)
    np.testing.assert_allclose(hue[10], np.array(INSIDE_COLOR) / max(INSIDE_COLOR), atol=1e-6)
    np.testing.assert_allclose(hue[200], np.array(OUTSIDE_COLOR) / max(OUTSIDE_COLOR), atol=1e-6)


def test_the_terms_of_the_gradient_are_those_of_the_levels(sphere):
    """They add up, each is what the finite difference with its features alone gives, and a level
    without features has none."""
    field = sphere[0].sdf_field
    saved = field.grid.table.detach().clone()
    points = torch.rand(50, 3, generator=torch.Generator().manual_seed(1)) - 0.5
    offsets = field.grid.layout.offsets
    try:
        with torch.no_grad():
            field._layers[0].weight[:, 3:] = 0.1 * torch.randn_like(field._layers[0].weight[:, 3:])
            field.grid.table.normal_(0, 0.1)
            field.grid.table[: int(offsets[1])] = 0
        gradients, parts = field.level_gradients(points)
        expected = field.samples(points, analytic=True).gradients
        torch.testing.assert_close(gradients, expected)
        assert parts.shape == (50, 3, 3)
        assert (parts[:, 0] == 0).all()
        turns, normals = level_turns(field, points, None)
        across = torch.linalg.cross(parts, normals[:, None].expand_as(parts)).norm(dim=-1)
        torch.testing.assert_close(turns, across / gradients.norm(dim=-1)[:, None])
        assert (level_turns(field, points, 2.0)[0][:, 2] == 0).all(), "the third is not shown"
        image = picture(sphere, view(mode="level"))
        assert (image[32, 48].astype(int) - image[32, 48].min()).max() > 20, "coloured"
    finally:
        with torch.no_grad():
            field.grid.table.copy_(saved)
            field._layers[0].weight[:, 3:] = 0


def test_colours_of_levels_and_of_heat_are_told_apart():
    colors = level_colors(12)
    apart = np.linalg.norm(colors[:, None] - colors[None], axis=-1)
    assert apart[~np.eye(12, dtype=bool)].min() > 0.1
    brightness = error_colors(np.linspace(0, MAX_ERROR, 20)).sum(-1)
    assert (np.diff(brightness) > 0).all()


def test_the_error_of_equal_pictures_is_nothing_and_the_scale_is_linear():
    truth = np.random.default_rng(0).random((4, 5, 3))
    assert (color_error(truth, truth) == 0).all()
    np.testing.assert_allclose(color_error(truth * 0 + 0.5, truth * 0 + [0.5, 0.2, 0.8]), 0.2)
    none = error_picture(np.zeros((4, 5)), truth)
    np.testing.assert_allclose(none, none[..., :1].repeat(3, -1), err_msg="the grey photo")
    np.testing.assert_allclose(
        error_picture(np.full((4, 5), MAX_ERROR), truth)[0, 0], error_colors(MAX_ERROR)
    )


def test_the_rendering_compared_with_itself_has_no_error(sphere, monkeypatch):
    model, occupancy = sphere
    shown = view(width=24, height=16, mode="error")
    known = np.ones((16, 24), bool)
    known[:4] = False
    kept = []
    monkeypatch.setattr(
        "core.rendering.error.color_error",
        lambda image, truth: kept.append(image) or color_error(image, truth),
    )
    arguments = model, occupancy, replace(CONFIG.train), shown
    black = np.zeros((16, 24, 3), np.float32)
    run_task(render_error(*arguments, black, known, None, (1.0, 1.0, 1.0)))
    rendered = black.copy()
    rendered[known] = kept[0][:, 0]
    assert rendered[8, 0].min() > 0.99, "white behind the sphere"
    same = run_task(render_error(*arguments, rendered, known, None, (1.0, 1.0, 1.0)))
    assert (np.ptp(same[known].astype(int), axis=-1) <= 1).all(), "grey: no heat anywhere"
    other = run_task(render_error(*arguments, 1 - rendered, known, None, (1.0, 1.0, 1.0)))
    np.testing.assert_allclose(other[8, 0], 255 * error_colors(1.0), atol=1)
    assert np.ptp(other[:4, :, 0].astype(int)) < 10, "nothing where there is no photo"


def test_clay_is_lit_from_over_the_shoulder(sphere):
    image = picture(sphere, view(mode="clay")).astype(float) / 255
    height, width = image.shape[:2]
    facing = AMBIENT + (1 - AMBIENT) * 0.7 / math.sqrt(1.01)
    np.testing.assert_allclose(image[height // 2, width // 2], np.array(CLAY) * facing, atol=0.02)
    step = height // 8
    upper = image[height // 2 - step, width // 2 - step]
    lower = image[height // 2 + step, width // 2 + step]
    assert (upper > lower + 0.1).all()
