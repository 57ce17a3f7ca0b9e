import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.geometry.scene_ball import (
    ball_from_axes,
    enclosing_ball,
    focus_point,
    up_direction,
)
from core.geometry.silhouettes import Silhouette, visual_hull
from tests.core.captures import LENS, ball_mask, look_at, orbit

TARGET = np.array([2.0, -1.0, 0.5])


def poses_around(target, n=24):
    return np.stack(orbit(n, 4.0, target))


def ball_points(rng, center, radius, n):
    directions = rng.normal(size=(n, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return center + radius * directions


def test_the_enclosing_ball_holds_all_and_is_hardly_larger_than_needed():
    points = ball_points(np.random.default_rng(1), TARGET, 0.7, 500)
    center, radius = enclosing_ball(points)
    assert np.linalg.norm(points - center, axis=1).max() <= radius * (1 + 1e-12)
    assert radius < 0.7 * 1.02


def test_a_few_cameras_that_look_elsewhere_do_not_move_the_focus():
    poses = poses_around(TARGET)
    astray = np.stack([look_at(p[:3, 3], TARGET + [0, 0, 9]) for p in poses[::8]])
    both = np.concatenate([poses, astray])
    focus = focus_point(both[:, :3, 3], both[:, :3, 2])
    assert np.linalg.norm(focus - TARGET) < 0.1


def test_parallel_axes_have_a_finite_focus_at_the_prior_depth():
    poses = np.stack([look_at((x, 0, 0), (x, 5, 0)) for x in (-1.0, 0.0, 1.0)])
    focus = focus_point(poses[:, :3, 3], poses[:, :3, 2], np.array([0.0, 3.0, 0.0]), 0.05)
    np.testing.assert_allclose(focus, [0, 3, 0], atol=1e-6)


def test_up_is_found_for_turned_frames_and_tilted_cameras():
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec([1.0, 0.4, -0.7]).as_matrix()
    poses = turn @ poses_around(TARGET)
    np.testing.assert_allclose(up_direction(poses), turn[:3, 2], atol=0.02)


def test_without_points_the_ball_is_where_the_axes_meet():
    poses = poses_around(TARGET)
    center, radius = ball_from_axes(poses, [LENS] * len(poses))
    np.testing.assert_allclose(center, TARGET, atol=0.01)
    # half of a photo at distance 4 spans 4 · 30/70 by 4 · 40/70
    assert 4 * 30 / 70 < radius < 4 * 40 / 70


@pytest.mark.parametrize("wrong_masks", [0, 1])
@pytest.mark.parametrize("within", [False, True])
def test_silhouettes_of_a_ball_give_that_ball(wrong_masks, within):
    center = TARGET + np.array([0.3, 0.2, -0.1])
    views = [Silhouette(LENS, p, ball_mask(LENS, p, center, 0.6)) for p in orbit(24, 4.0, TARGET)]
    for i in range(wrong_masks):
        views[i] = Silhouette(LENS, views[i].world_from_camera, np.zeros_like(views[i].mask))
    hull, cell = visual_hull(views, (TARGET, 2.0), within)
    found, radius = enclosing_ball(hull)
    assert np.linalg.norm(found - center) < 0.08
    assert np.linalg.norm(found - center) + 0.6 < radius + 2 * cell < 0.6 * 1.3


def test_a_hull_within_a_ball_ends_there():
    """All cameras look from above, so that nothing ends the hull below."""
    views = [Silhouette(LENS, p, ball_mask(LENS, p, TARGET, 0.6)) for p in orbit(3, 4.0, TARGET)]
    hull, _ = visual_hull(views, (TARGET, 0.7), within=True)
    assert len(hull) > 100
    assert np.linalg.norm(hull - TARGET, axis=1).max() < 0.7


def test_empty_silhouettes_give_no_hull():
    views = [Silhouette(LENS, p, np.zeros((60, 80), bool)) for p in orbit(6)]
    assert len(visual_hull(views, (np.zeros(3), 1.0))[0]) == 0
