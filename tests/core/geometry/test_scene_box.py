import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.geometry.rigid import invert, transform_points
from core.geometry.scene_box import (
    ball_from_axes,
    ball_from_points,
    ball_from_scene,
    enclosing_ball,
    focus_point,
    scene_from_ball,
    up_direction,
    upright_rotation,
)
from core.geometry.silhouettes import Silhouette, ball_from_silhouettes
from tests.core.captures import LENS, ball_mask, look_at, orbit

TARGET = np.array([2.0, -1.0, 0.5])


def poses_around(target, n=24):
    return np.stack(orbit(n, 4.0, target))


def ball_points(rng, center, radius, n):
    directions = rng.normal(size=(n, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return center + radius * directions


def test_the_similarity_carries_its_ball_onto_the_unit_ball():
    rotation = Rotation.from_rotvec([0.1, 0.2, 0.3]).as_matrix()
    scene_from_input = scene_from_ball(TARGET, 3.0, rotation)
    np.testing.assert_allclose(transform_points(scene_from_input, TARGET[None]), 0.0, atol=1e-12)
    surface = ball_points(np.random.default_rng(0), TARGET, 3.0, 20)
    lengths = np.linalg.norm(transform_points(scene_from_input, surface), axis=1)
    np.testing.assert_allclose(lengths, 1.0)
    center, radius = ball_from_scene(scene_from_input)
    np.testing.assert_allclose(center, TARGET, atol=1e-12)
    assert radius == pytest.approx(3.0)


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
    rotation = upright_rotation(poses, declared_z_up=False)
    np.testing.assert_allclose(rotation @ turn[:3, 2], [0, 0, 1], atol=0.02)


def test_a_declared_up_is_left_alone_unless_the_photos_contradict_it():
    poses = poses_around(TARGET)
    np.testing.assert_array_equal(upright_rotation(poses, declared_z_up=True), np.eye(3))
    lying = np.eye(4)
    lying[:3, :3] = Rotation.from_rotvec([np.pi / 2, 0, 0]).as_matrix()
    assert not np.allclose(upright_rotation(lying @ poses, declared_z_up=True), np.eye(3))


def test_sparse_points_far_behind_the_subject_do_not_inflate_the_ball():
    rng = np.random.default_rng(2)
    subject = ball_points(rng, TARGET, 0.8, 2000)
    background = TARGET + 30 * rng.normal(size=(2000, 3))
    poses = poses_around(TARGET)
    center, radius = ball_from_points(
        np.concatenate([subject, background]), poses, [LENS] * len(poses)
    )
    assert np.linalg.norm(subject - center, axis=1).max() < radius < 2.4


def test_a_one_sided_capture_keeps_its_subject_in_the_ball():
    rng = np.random.default_rng(3)
    subject = ball_points(rng, np.zeros(3), 0.8, 1000)
    wall = np.stack([rng.uniform(-6, 6, 2000), np.full(2000, 1.0), rng.uniform(-6, 6, 2000)], 1)
    poses = np.stack([
        look_at((4 * np.sin(a), -4 * np.cos(a), h), (0, 0, 0))
        for a in np.linspace(-0.6, 0.6, 9) for h in (-0.5, 0.8)
    ])
    center, radius = ball_from_points(np.concatenate([subject, wall]), poses, [LENS] * len(poses))
    assert np.linalg.norm(subject - center, axis=1).max() < radius < 2.4


def test_a_room_seen_from_within_lies_in_the_ball():
    rng = np.random.default_rng(4)
    walls = rng.uniform(-3, 3, (3000, 3))
    walls[np.arange(3000), rng.integers(0, 3, 3000)] = rng.choice([-3.0, 3.0], 3000)
    poses = np.stack([look_at((np.cos(a), np.sin(a), 0), (9 * np.cos(a), 9 * np.sin(a), 0))
                      for a in np.linspace(0, 6, 20)])
    center, radius = ball_from_points(walls, poses, [LENS] * len(poses))
    assert (np.linalg.norm(walls - center, axis=1) < radius).mean() > 0.95


def test_without_points_the_ball_is_where_the_axes_meet():
    poses = poses_around(TARGET)
    center, radius = ball_from_axes(poses, [LENS] * len(poses))
    np.testing.assert_allclose(center, TARGET, atol=0.01)
    # half of a photo at distance 4 spans 4 · 30/70 by 4 · 40/70
    assert 4 * 30 / 70 < radius < 4 * 40 / 70


@pytest.mark.parametrize("wrong_masks", [0, 1])
def test_silhouettes_of_a_ball_give_that_ball(wrong_masks):
    center = TARGET + np.array([0.3, 0.2, -0.1])
    views = [Silhouette(LENS, p, ball_mask(LENS, p, center, 0.6)) for p in orbit(24, 4.0, TARGET)]
    for i in range(wrong_masks):
        views[i] = Silhouette(LENS, views[i].world_from_camera, np.zeros_like(views[i].mask))
    found = ball_from_silhouettes(views, (TARGET, 2.0))
    assert found is not None
    assert np.linalg.norm(found[0] - center) < 0.08
    assert np.linalg.norm(found[0] - center) + 0.6 < found[1] < 0.6 * 1.3


def test_empty_silhouettes_give_no_ball():
    views = [Silhouette(LENS, p, np.zeros((60, 80), bool)) for p in orbit(6)]
    assert ball_from_silhouettes(views, (np.zeros(3), 1.0)) is None


def test_scene_from_input_is_a_similarity_without_mirroring():
    poses = poses_around(TARGET)
    scene_from_input = scene_from_ball(TARGET, 2.0, upright_rotation(poses, False))
    np.testing.assert_allclose(invert(scene_from_input) @ scene_from_input, np.eye(4), atol=1e-12)
    assert np.linalg.det(scene_from_input[:3, :3]) > 0
