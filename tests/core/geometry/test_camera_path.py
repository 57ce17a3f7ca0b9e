"""Smooth paths through a few poses."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.geometry.camera_path import smooth_path


def pose(place, degrees=0.0):
    out = np.eye(4)
    out[:3, :3] = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    out[:3, 3] = place
    return out


def test_one_view_stands_still():
    assert (smooth_path(pose([1, 2, 3])[None], 5) == pose([1, 2, 3])).all()


def test_between_two_views_it_goes_straight_and_turns_evenly():
    path = smooth_path(np.array([pose([0, 0, 0]), pose([2, 0, 0], 90)]), 5)
    np.testing.assert_allclose(path[0], pose([0, 0, 0]), atol=1e-12)
    np.testing.assert_allclose(path[4], pose([2, 0, 0], 90), atol=1e-12)
    np.testing.assert_allclose(path[2], pose([1, 0, 0], 45), atol=1e-12)
    assert (np.diff(path[:, 0, 3]) > 0).all()


def test_it_passes_every_view_and_each_pose_is_rigid():
    keys = np.array([pose([0, 0, 0]), pose([1, 1, 0], 30), pose([2, 0, 1], 200), pose([2, 2, 2])])
    path = smooth_path(keys, 4000)
    for key in keys:
        assert np.abs(path - key).max((1, 2)).min() < 3e-3
    turns = path[:, :3, :3]
    np.testing.assert_allclose(
        turns @ turns.transpose(0, 2, 1), np.tile(np.eye(3), (4000, 1, 1)), atol=1e-9
    )


@pytest.mark.parametrize("n", [40, 41])
def test_a_closed_path_comes_back_without_showing_its_first_view_twice(n):
    square = np.array(
        [pose([x, y, 0], a) for x, y, a in ((1, 0, 0), (0, 1, 90), (-1, 0, 180), (0, -1, 270))]
    )
    path = smooth_path(square, n, closed=True)
    steps = np.linalg.norm(np.diff(np.concatenate([path, path[:1]])[:, :3, 3], axis=0), axis=1)
    assert steps.max() < 1.2 * steps.min(), "evenly, over the seam as well"
    assert np.linalg.norm(path[:, :3, 3], axis=1).min() > 0.9, "a square of four becomes a circle"
