import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.geometry.rigid import (
    invert,
    nearest_rigid,
    rotation_between,
    similarity,
    similarity_scale,
    transform_points,
    world_from_opengl_camera,
)

ROTATION = Rotation.from_rotvec([0.3, -1.2, 0.5]).as_matrix()
TRANSFORM = similarity(2.5, ROTATION, np.array([1.0, -2.0, 3.0]))


def test_inverse_undoes_a_similarity():
    np.testing.assert_allclose(invert(TRANSFORM) @ TRANSFORM, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(
        invert(np.stack([TRANSFORM, np.eye(4)])), [np.linalg.inv(TRANSFORM), np.eye(4)], atol=1e-12
    )


def test_scale_is_that_of_lengths():
    a, b = transform_points(TRANSFORM, np.array([[0.0, 0, 0], [0, 3, 4]]))
    assert np.linalg.norm(b - a) == pytest.approx(5 * 2.5)
    assert similarity_scale(TRANSFORM) == pytest.approx(2.5)


def test_an_opengl_camera_looks_along_its_negative_z():
    opengl = similarity(1.0, np.eye(3), np.zeros(3))
    opencv = world_from_opengl_camera(opengl)
    np.testing.assert_array_equal(opencv[:3, 2], [0, 0, -1])  # forward
    np.testing.assert_array_equal(opencv[:3, 1], [0, -1, 0])  # down
    np.testing.assert_array_equal(world_from_opengl_camera(opencv), opengl)


def test_nearest_rigid_takes_scale_out_of_the_rotation_only():
    np.testing.assert_allclose(
        nearest_rigid(TRANSFORM), similarity(1.0, ROTATION, np.array([1.0, -2.0, 3.0])), atol=1e-12
    )


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.diag([1.0, 1, 0, 1]), "singular"),
        (np.zeros((4, 4)), "singular"),
        (np.diag([1.0, 1, np.nan, 1]), "NaN"),
        (np.diag([1.0, 1, -1, 1]), "mirrors"),
    ],
)
def test_what_is_not_nearly_rigid_is_refused(matrix, reason):
    with pytest.raises(ValueError, match=reason):
        nearest_rigid(matrix)


@pytest.mark.parametrize("target", [[0, 0, 1.0], [0, 0, -1.0], [0.6, 0, 0.8], [1, 0, 0]])
def test_rotation_between_turns_one_onto_the_other(target):
    source = np.array([0.0, 0.0, 1.0])
    rotation = rotation_between(source, np.array(target))
    np.testing.assert_allclose(rotation @ source, target, atol=1e-12)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
