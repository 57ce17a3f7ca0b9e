"""The rasteriser against planes and triangles whose picture is known."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from core.geometry.cameras import Intrinsics, pixel_directions
from core.rendering.raster import rasterize, shade

LENS = Intrinsics(64, 48, 50.0, 55.0, 32.0, 24.0)
ORIGIN = np.eye(4)


def centers(lens: Intrinsics) -> np.ndarray:
    x, y = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    return np.stack([x, y], -1).reshape(-1, 2)


def test_a_tilted_plane_has_its_depth_and_position_in_every_pixel():
    """Plane z = 4 + 0.5 x; one large quad that fills the view."""
    corners = np.array([[x, y, 4 + 0.5 * x] for x, y in [(-5, -9), (5, -9), (5, 9), (-5, 9)]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    raster = rasterize(corners, faces, LENS, ORIGIN)
    d = pixel_directions(LENS, centers(LENS))
    z = 4 / (1 - 0.5 * d[:, 0] / d[:, 2])
    assert (raster.face_id >= 0).all()
    np.testing.assert_allclose(raster.depth.ravel(), z, rtol=1e-5)
    positions = raster.interpolate(faces, corners)
    np.testing.assert_allclose(positions, d / d[:, 2:] * z[:, None], atol=2e-5)


def test_a_triangle_covers_exactly_the_pixels_whose_centres_it_holds():
    """Right triangle with legs of 8 pixels: centres with x + y < 8 in its frame are 36."""
    pixels = np.array([[10.0, 10], [18.0, 10], [10.0, 18]]) - 0.0
    points = np.concatenate([(pixels - [32, 24]) / [50, 55], np.ones((3, 1))], 1) * 2.0
    raster = rasterize(points, np.array([[0, 1, 2]]), LENS, ORIGIN)
    inside = np.add.outer(np.arange(8) + 0.5, np.arange(8) + 0.5) <= 8 + 1e-9
    assert (raster.face_id[10:18, 10:18] >= 0).sum() == inside.sum() == 36
    assert (raster.face_id >= 0).sum() == 36
    assert np.isinf(raster.depth[0, 0])


def test_the_nearer_of_two_wins_and_sides_are_told_apart():
    near = np.array([[-1, -1, 2], [1, -1, 2], [0, 1, 2.0]])
    both = np.concatenate([near * [1, 1, 2] + [0, 0, 0], near])
    faces = np.array([[0, 1, 2], [5, 4, 3]])
    raster = rasterize(both, faces, LENS, ORIGIN)
    assert raster.face_id[24, 32] == 1
    assert raster.depth[24, 32] == pytest.approx(2)
    # Vertices that run clockwise in the picture are seen from behind.
    assert raster.front[24, 32]
    assert not rasterize(both, faces[:, ::-1], LENS, ORIGIN).front[24, 32]


def test_a_sphere_is_seen_from_outside_from_anywhere():
    sphere = trimesh.creation.icosphere(4, 0.5)
    pose = np.eye(4)
    pose[:3, :3] = trimesh.transformations.rotation_matrix(2.0, [1, 1, 0])[:3, :3]
    pose[:3, 3] = -3 * pose[:3, 2] + [0.2, 0, 0]
    raster = rasterize(sphere.vertices + [0.2, 0, 0], sphere.faces, LENS, pose)
    hit = raster.face_id >= 0
    assert raster.front[hit].all()
    assert raster.depth[24, 32] == pytest.approx(2.5, abs=2e-3)
    # The outline is a cone of half-angle asin(0.5 / 3): an ellipse of known area in pixels.
    radius = np.tan(np.arcsin(0.5 / 3))
    assert hit.sum() == pytest.approx(np.pi * radius**2 * 50 * 55, rel=0.03)


def test_what_reaches_behind_the_camera_is_left_out_and_does_no_harm():
    points = np.array([[-1, -1, 2], [1, -1, 2], [0, 1, -1.0], [0, 0, 0], [np.nan, 0, 1]])
    raster = rasterize(points, np.array([[0, 1, 2], [0, 1, 3], [0, 1, 4]]), LENS, ORIGIN)
    assert (raster.face_id == -1).all()


def test_a_distorted_lens_bends_the_picture_like_its_photos():
    lens = replace(LENS, model="opencv", distortion=(-0.2, 0.05))
    grid = trimesh.creation.box((3.0, 2.4, 0.01)).subdivide().subdivide().subdivide().subdivide()
    vertices, faces = np.asarray(grid.vertices) + [0, 0, 3.0], np.asarray(grid.faces)
    raster = rasterize(vertices, faces, lens, ORIGIN)
    d = pixel_directions(lens, centers(lens)).reshape(48, 64, 3)
    x, y = (d[..., i] / d[..., 2] * 2.995 for i in range(2))
    inside = (np.abs(x) < 1.47) & (np.abs(y) < 1.17)
    outside = (np.abs(x) > 1.53) | (np.abs(y) > 1.23)
    assert (raster.face_id[inside] >= 0).all()
    assert (raster.face_id[outside] == -1).all()


def test_shading_is_brightest_toward_the_light_and_keeps_given_colors():
    sphere = trimesh.creation.icosphere(4, 0.5)
    vertices, normals = np.asarray(sphere.vertices) + [0, 0, 2.0], np.asarray(sphere.vertex_normals)
    clay = shade(vertices, sphere.faces, normals, LENS, ORIGIN)
    assert clay.shape == (48, 64, 3)
    np.testing.assert_array_equal(clay[0, 0], 1)
    assert clay[18, 28].sum() > clay[30, 36].sum()  # the light comes from above on the left
    colors = np.full((len(vertices), 3), (255, 0, 51), np.uint8)
    painted = shade(vertices, sphere.faces, normals, LENS, ORIGIN, colors=colors)
    np.testing.assert_allclose(painted[24, 32], (1, 0, 0.2), atol=1e-6)
