"""Laws of transforms, boxes, planes, balls and camera paths, for all inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from core.geometry.box import Box
from core.geometry.camera_path import looking_at_center, smooth_path
from core.geometry.planes import dominant_plane
from core.geometry.rigid import (
    invert,
    nearest_rigid,
    rotation_about_z,
    rotation_between,
    similarity,
    similarity_scale,
    transform_points,
    transform_pose,
)
from core.geometry.scene_ball import (
    ball_from_scene,
    enclosing_ball,
    focus_point,
    scene_from_ball,
    weighted_quantile,
)
from tests.core.strategies import (
    arrays,
    floats,
    log_floats,
    points,
    rigids,
    rotations,
    similarities,
    unit_vectors,
)

UP = np.array([0.0, 0.0, 1.0])


def is_rotation(matrix: np.ndarray) -> bool:
    """Whether [..., 3, 3] is orthonormal and not mirrored."""
    product = matrix @ np.swapaxes(matrix, -1, -2)
    return np.allclose(product, np.eye(3), atol=1e-9) and bool((np.linalg.det(matrix) > 0).all())


# --- rigid -----------------------------------------------------------------------------------


@given(st.lists(similarities(), min_size=1, max_size=4))
def test_the_inverse_undoes_a_similarity_alone_and_in_a_batch(transforms):
    inverses = invert(np.stack(transforms))
    for transform, inverse in zip(transforms, inverses):
        np.testing.assert_allclose(inverse @ transform, np.eye(4), atol=1e-9)
        np.testing.assert_array_equal(inverse, invert(transform))
        np.testing.assert_array_equal(inverse[3], [0, 0, 0, 1])


@given(similarities(), similarities(), points())
def test_a_product_of_similarities_transforms_as_one_after_the_other(a, b, x):
    product = a @ b
    np.testing.assert_allclose(
        transform_points(product, x), transform_points(a, transform_points(b, x)), atol=1e-6
    )
    np.testing.assert_allclose(invert(product) @ a @ b, np.eye(4), atol=1e-6)
    assert similarity_scale(product) == pytest.approx(similarity_scale(a) * similarity_scale(b))


@given(similarities(), points(2, 2))
def test_a_similarity_multiplies_lengths_by_its_scale(transform, ends):
    a, b = transform_points(transform, ends)
    length = np.linalg.norm(ends[1] - ends[0])
    scale = similarity_scale(transform)
    assert np.linalg.norm(b - a) == pytest.approx(scale * length, abs=1e-9 * scale)


@given(similarities(), similarities(), rigids())
def test_a_transformed_pose_is_rigid_and_its_camera_looks_at_the_transformed_points(a, b, pose):
    moved = transform_pose(a, pose)
    assert is_rotation(moved[:3, :3])
    in_camera = transform_points(invert(pose), np.array([[0.0, 0, 2]]))
    seen = transform_points(invert(moved) @ a, np.array([[0.0, 0, 2]]))
    np.testing.assert_allclose(seen, similarity_scale(a) * in_camera, atol=1e-6)
    np.testing.assert_allclose(transform_pose(b, moved), transform_pose(b @ a, pose), atol=1e-6)


@given(similarities(), rotations())
def test_the_nearest_rigid_transform_of_a_similarity_is_the_similarity_without_its_scale(t, other):
    rigid = nearest_rigid(t)
    np.testing.assert_allclose(rigid[:3, :3], t[:3, :3] / similarity_scale(t), atol=1e-9)
    np.testing.assert_array_equal(rigid[:3, 3], t[:3, 3])
    np.testing.assert_allclose(nearest_rigid(rigid), rigid, atol=1e-9)
    sheared = np.eye(4)
    sheared[:3, :3] = other @ np.array([[1.0, 0.4, 0], [0, 1.2, 0], [0, 0, 0.9]])
    nearest = nearest_rigid(sheared)[:3, :3]
    assert is_rotation(nearest)
    off = np.linalg.norm(sheared[:3, :3] - nearest)
    assert off <= np.linalg.norm(sheared[:3, :3] - t[:3, :3] / similarity_scale(t)) + 1e-9
    assert off <= np.linalg.norm(sheared[:3, :3] - other) + 1e-9


@given(unit_vectors(), unit_vectors(), log_floats(1e-8, 1e-2))
@example(UP, UP, 1e-3)
@example(UP, -UP, 1e-3)
@example(UP, np.array([0.6, 0.0, 0.8]), 1e-3)
@example(UP, np.array([1.0, 0.0, 0.0]), 1e-3)
def test_the_rotation_between_two_directions_is_one_and_the_smallest(source, target, tilt):
    opposite = -source + tilt * np.cross(source, target)  # half a turn away, nearly
    for goal in (target, opposite / np.linalg.norm(opposite)):
        rotation = rotation_between(source, goal)
        assert is_rotation(rotation)
        np.testing.assert_allclose(rotation @ source, goal, atol=1e-9)
        angle = np.linalg.norm(Rotation.from_matrix(rotation).as_rotvec())
        between = np.arctan2(np.linalg.norm(np.cross(source, goal)), source @ goal)
        assert angle == pytest.approx(between, abs=1e-5)


@given(floats(-10, 10), floats(-10, 10))
def test_rotations_about_z_add_up(a, b):
    np.testing.assert_allclose(
        rotation_about_z(a) @ rotation_about_z(b), rotation_about_z(a + b), atol=1e-12
    )
    np.testing.assert_allclose(rotation_about_z(a) @ UP, UP)


# --- boxes -----------------------------------------------------------------------------------

boxes = st.builds(Box.of, arrays(3), arrays(3, 0.05, 4.0), rotations())


@given(arrays(3), arrays(3, 0.05, 4.0), rotations())
def test_a_box_tells_its_centre_half_lengths_and_axes_back(center, half, axes):
    box = Box.of(center, half, axes)
    np.testing.assert_allclose(box.center, center)
    np.testing.assert_allclose(box.half, half)
    np.testing.assert_allclose(box.axes, axes, atol=1e-12)
    assert box.radius == pytest.approx(np.linalg.norm(half))


@given(boxes)
def test_the_corners_of_a_box_lie_in_it_and_what_lies_just_beyond_does_not(box):
    corners = box.corners()
    assert len(np.unique(corners.round(6), axis=0)) == 8
    assert box.contains(corners).all()
    assert not box.contains(box.center + 1.001 * (corners - box.center)).any()
    np.testing.assert_allclose(np.linalg.norm(corners - box.center, axis=1), box.radius)


@given(points(4, 30), rotations(), floats(1.0, 2.0))
def test_the_box_around_points_holds_them_and_touches_them_on_all_sides(x, axes, margin):
    assume((np.ptp(x @ axes, axis=0) > 0.01).all())
    tight = Box.bounding(x, axes)
    assert tight.contains(x).all()
    local = (x - tight.center) @ tight.axes / tight.half
    np.testing.assert_allclose([local.min(0), local.max(0)], [[-1] * 3, [1] * 3], atol=1e-6)
    np.testing.assert_allclose(Box.bounding(x, axes, margin).half, margin * tight.half)


@given(boxes, similarities(), points(1, 30, -8.0, 8.0))
def test_a_transformed_box_holds_the_transformed_points_and_no_others(box, transform, x):
    local = np.abs(transform_points(box.cube_from_frame, x))
    assume((np.abs(local - 1) > 1e-6).all())
    moved = box.transformed(transform)
    assert (moved.contains(transform_points(transform, x)) == box.contains(x)).all()
    np.testing.assert_allclose(moved.half, similarity_scale(transform) * box.half)


@given(boxes, rotations())
def test_a_box_with_renamed_axes_is_the_same_box(box, rotation):
    named = box.with_nearest_axes(rotation)
    assert is_rotation(named.axes)
    assert named.contains(box.corners()).all()
    assert box.contains(named.corners()).all()
    assert (np.diag(rotation @ named.axes) > 1e-9).sum() >= 2, "at most one axis is turned round"


# --- planes and balls ------------------------------------------------------------------------


@given(rotations(), arrays(3), floats(-15.0, 15.0), st.integers(0, 100))
def test_a_plane_is_found_among_clutter_wherever_it_lies(turn, place, tilt, seed):
    rng = np.random.default_rng(seed)
    table = np.stack([*rng.uniform(-3, 3, (2, 300)), rng.normal(0, 0.005, 300)], 1)
    clutter = rng.uniform(0, 1, (150, 3)) + [-0.5, -0.5, 0.05]
    x = np.concatenate([table, clutter]) @ turn.T + place
    axis = turn[:, 0] * np.radians(tilt)
    toward = Rotation.from_rotvec(axis).as_matrix() @ turn[:, 2]
    plane = dominant_plane(x, np.ones(len(x)), 0.02, toward, 20.0)
    assert plane is not None
    np.testing.assert_allclose(plane.normal, turn[:, 2], atol=5e-3)
    assert abs(plane.height(place)) < 5e-3
    assert plane.inlier_fraction == pytest.approx(2 / 3, abs=0.03)


@given(arrays(3), log_floats(0.01, 100.0), rotations())
def test_a_scene_ball_becomes_the_unit_ball_and_can_be_told_from_the_similarity(
    center, radius, rotation
):
    scene_from_input = scene_from_ball(center, radius, rotation)
    assert is_rotation(scene_from_input[:3, :3] * radius)
    surface = center + radius * np.concatenate([np.eye(3), -np.eye(3)])
    lengths = np.linalg.norm(transform_points(scene_from_input, surface), axis=1)
    np.testing.assert_allclose(lengths, 1.0)
    found, found_radius = ball_from_scene(scene_from_input)
    np.testing.assert_allclose(found, center, atol=1e-9)
    assert found_radius == pytest.approx(radius)


@given(points(1, 30))
def test_an_enclosing_ball_holds_all_points_and_is_not_much_larger_than_it_must_be(x):
    center, radius = enclosing_ball(x)
    assert np.linalg.norm(x - center, axis=1).max() <= radius * (1 + 1e-12)
    farthest = np.linalg.norm(x[:, None] - x[None], axis=-1).max()
    assert radius <= 1.02 * farthest / np.sqrt(8 / 3) + 1e-9, "Jung's bound of the smallest"


@given(arrays(3, -1, 1), st.lists(unit_vectors(), min_size=4, max_size=12))
def test_axes_that_meet_in_a_point_have_their_focus_there(target, outward):
    directions = np.stack(outward)
    assume(np.linalg.svd(directions - directions.mean(0))[1][1] > 0.3)  # not all the same
    origins = target + 3.0 * directions
    assume(np.linalg.norm(origins - origins.mean(0), axis=1).mean() > 0.5)
    np.testing.assert_allclose(focus_point(origins, -directions), target, atol=0.02)


@given(st.lists(st.tuples(floats(-5, 5), floats(0.1, 3)), min_size=1), floats(0, 1), floats(0, 1))
def test_a_weighted_quantile_is_one_of_the_values_and_grows_with_its_share(rows, a, b):
    values, weights = np.array(rows).T
    low, high = (weighted_quantile(values, weights, share) for share in sorted((a, b)))
    assert low in values
    assert low <= high
    assert weights[values < low].sum() <= min(a, b) * weights.sum() + 1e-9


# --- camera paths ----------------------------------------------------------------------------

key_poses = st.lists(rigids(), min_size=1, max_size=5).map(np.stack)


def apart(keys: np.ndarray) -> bool:
    """Whether consecutive poses differ, by less than half a turn, whose way round is not unique."""
    turns = Rotation.from_matrix(keys[:, :3, :3])
    angles = (turns[:-1].inv() * turns[1:]).magnitude()
    moves = np.linalg.norm(np.diff(keys[:, :3, 3], axis=0), axis=1)
    return bool((angles < 3.0).all() and (angles + moves > 0.01).all())


@given(key_poses, st.integers(1, 50), st.booleans())
def test_every_pose_of_a_camera_path_is_rigid_and_it_begins_at_the_first_key(keys, n, closed):
    path = smooth_path(keys, n, closed)
    assert path.shape == (n, 4, 4)
    assert is_rotation(path[:, :3, :3])
    np.testing.assert_array_equal(path[:, 3], np.tile([0, 0, 0, 1.0], (n, 1)))
    np.testing.assert_allclose(path[0], keys[0], atol=1e-9)
    if n > 1 and not closed:
        np.testing.assert_allclose(path[-1], keys[-1], atol=1e-9)


@given(key_poses, similarities(1.0, 1.0), st.booleans())
def test_a_camera_path_through_moved_keys_is_the_moved_path(keys, move, closed):
    assume(apart(np.concatenate([keys, keys[:1]]) if closed else keys))
    np.testing.assert_allclose(
        smooth_path(move @ keys, 7, closed), move @ smooth_path(keys, 7, closed), atol=1e-6
    )


@given(floats(-7, 7), floats(-1.5, 1.5), log_floats(0.1, 100))
def test_a_camera_that_looks_at_the_centre_is_upright_and_as_far_as_asked(azimuth, tilt, distance):
    pose = looking_at_center(azimuth, tilt, distance)
    assert is_rotation(pose[:3, :3])
    centre = transform_points(invert(pose), np.zeros((1, 3)))
    np.testing.assert_allclose(centre, [[0, 0, distance]], atol=1e-9 * distance)
    assert pose[2, 0] == 0, "the horizon is level"
    assert pose[2, 1] <= 0, "image y runs down"


@given(rotations(), arrays(3), log_floats(0.1, 10))
def test_similarity_is_its_three_parts(rotation, translation, scale):
    transform = similarity(scale, rotation, translation)
    np.testing.assert_allclose(
        transform_points(transform, np.eye(3)), scale * rotation.T + translation, atol=1e-9
    )
