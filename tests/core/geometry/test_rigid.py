import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.geometry.rigid import (
    nearest_rigid,
    similarity,
    world_from_opengl_camera,
)

ROTATION = Rotation.from_rotvec([0.3, -1.2, 0.5]).as_matrix()
TRANSFORM = similarity(2.5, ROTATION, np.array([1.0, -2.0, 3.0]))


def test_an_opengl_camera_looks_along_its_negative_z():
    opengl = similarity(1.0, np.eye(3), np.zeros(3))
    opencv = world_from_opengl_camera(opengl)
    np.testing.assert_array_equal(opencv[:3, 2], [0, 0, -1])  # forward
    np.testing.assert_array_equal(opencv[:3, 1], [0, -1, 0])  # down
    np.testing.assert_array_equal(world_from_opengl_camera(opencv), opengl)


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
