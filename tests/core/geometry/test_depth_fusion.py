"""Depth maps of shapes that are known exactly, fused into a signed distance."""

import numpy as np
import pytest

from core.geometry.cameras import Intrinsics, pixel_directions
from core.geometry.depth_fusion import TRUNCATION, DistanceFusion
from tests.core.captures import look_at

LENS = Intrinsics(110, 110, 140.0, 140.0, 55.0, 55.0)
DISTANCE = 3.0
RADIUS = 0.5
INNER, OUTER = 0.35, 0.5
RESOLUTION = 48
CELL = 2 / RESOLUTION


def sphere(x):
    return np.linalg.norm(x, axis=-1) - RADIUS


def cup(x):
    """Half of a hollow ball, open towards +Z."""
    middle = 0.5 * (INNER + OUTER)
    wall = np.abs(np.linalg.norm(x, axis=-1) - middle) - (OUTER - middle)
    return np.maximum(wall, x[..., 2])


def ring(n, height):
    """[n] poses around the Z axis that look at the middle from ``height``."""
    poses = []
    for angle in 2 * np.pi * np.arange(n) / n:
        across = np.sqrt(DISTANCE**2 - height**2)
        poses.append(
            look_at(np.array([across * np.cos(angle), across * np.sin(angle), height]), np.zeros(3))
        )
    return poses


def depth_map(sdf, pose, lens=LENS):
    """[H, W] distance along each ray to the surface ``sdf``, by sphere tracing."""
    u, v = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    rays = pixel_directions(lens, np.stack([u.ravel(), v.ravel()], -1)) @ pose[:3, :3].T
    t, left = np.full(len(rays), DISTANCE - 1), np.arange(len(rays))
    while len(left):
        step = sdf(pose[:3, 3] + t[left, None] * rays[left])
        t[left] += step
        left = left[(step > 1e-3) & (t[left] < DISTANCE + 1)]
    return np.where(t < DISTANCE + 1, t, np.inf).reshape(lens.height, lens.width)


def fused(sdf, poses):
    """The distances [G, G, G] and the cells' centres [G, G, G, 3]."""
    fusion = DistanceFusion(RESOLUTION)
    for pose in poses:
        fusion.add(depth_map(sdf, pose), LENS, pose)
    line = (np.arange(RESOLUTION) + 0.5) * CELL - 1
    return fusion.signed_distance(), np.stack(np.meshgrid(line, line, line, indexing="ij"), -1)


def test_a_sphere_seen_from_all_sides_has_its_distance_everywhere():
    found, centers = fused(sphere, ring(5, 1.5) + ring(5, -1.5))
    assert found.dtype == np.float32
    true = sphere(centers)
    in_ball = np.linalg.norm(centers, axis=-1) < 1
    error = np.abs(found - true)
    assert error[in_ball].max() < CELL
    assert error[np.abs(true) < 0.5 * CELL].mean() < 0.3 * CELL
    sure = np.abs(true) > 0.3 * CELL
    assert (np.sign(found) == np.sign(true))[in_ball & sure].all()


def test_a_cup_seen_from_above_stays_open():
    found, centers = fused(cup, ring(6, 2.4) + ring(5, 0.5) + ring(4, -1.5))
    true = cup(centers)
    hollow = (np.linalg.norm(centers, axis=-1) < INNER - CELL) & (centers[..., 2] < -CELL)
    wall = true < -0.5 * CELL
    assert hollow.sum() > 500
    assert wall.sum() > 1000
    assert (found[hollow] > 0).all()
    assert (found[wall] < 0).all()
    assert np.abs(found - true)[np.abs(true) < 0.5 * CELL].mean() < 0.3 * CELL


def test_what_one_camera_says_by_hand():
    """It looks along +X from x = -3 at a wall that stands 2.5 away along every ray."""
    fusion = DistanceFusion(100)
    fusion.add(np.full((110, 110), 2.5), LENS, look_at(np.array([-3.0, 0, 0]), np.zeros(3)))
    line = (np.arange(100) + 0.5) / 50 - 1
    centers = np.stack(np.meshgrid(line, line, line, indexing="ij"), -1)
    before = 2.5 - np.linalg.norm(centers - [-3.0, 0, 0], axis=-1)
    in_picture = np.linalg.norm(centers[..., 1:], axis=-1) < 0.5  # the cone is wider
    told = in_picture & (np.abs(before) < 0.5 * TRUNCATION)
    assert told.sum() > 1000
    np.testing.assert_allclose(fusion.signed_distance()[told], before[told], atol=1e-5)


def test_what_is_hidden_is_solid_and_what_no_camera_has_in_view_is_not():
    """One camera on the left, whose picture shows a cone around the X axis."""
    narrow = Intrinsics(60, 60, 300.0, 300.0, 30.0, 30.0)  # 0.1 to each side at 1: 0.3 at 3
    pose = look_at(np.array([-DISTANCE, 0, 0]), np.zeros(3))
    fusion = DistanceFusion(64)
    fusion.add(depth_map(sphere, pose, narrow), narrow, pose)
    found = fusion.signed_distance()

    def at(x, y, z):
        return found[tuple(((np.array([x, y, z]) + 1) * 32).astype(int))]

    assert at(-0.7, 0, 0) > 0, "before the surface it is seen to be empty"
    assert at(-0.3, 0, 0) < 0
    assert at(0.8, 0, 0) < 0, "in the picture, but hidden by the sphere"
    assert at(0, 0.45, 0) > 0, "within the sphere, but not in the picture"
    assert at(0, 0, -0.9) > 0


def test_cameras_that_see_nothing_leave_nothing_solid():
    fusion = DistanceFusion(24)
    for pose in ring(3, 1.0):
        fusion.add(np.full((110, 110), np.inf), LENS, pose)
    assert (fusion.signed_distance() > 0).all()


def test_two_cameras_that_disagree_are_averaged():
    """Walls 2.49 and 2.53 away from x = -3: the fused one is at their mean, x = -0.49."""
    fusion = DistanceFusion(100)
    pose = look_at(np.array([-3.0, 0, 0]), np.zeros(3))
    for wall in (2.49, 2.53):
        fusion.add(np.full((110, 110), wall), LENS, pose)
    along = fusion.signed_distance()[:, 50, 50]
    last = int(np.flatnonzero(along < 0)[0]) - 1
    share = along[last] / (along[last] - along[last + 1])
    assert (last + 0.5 + share) * 2 / 100 - 1 == pytest.approx(-0.49, abs=1e-3)
