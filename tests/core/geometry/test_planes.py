import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.geometry.planes import dominant_plane

TURN = Rotation.from_rotvec([0.2, -0.1, 0.4]).as_matrix()
UP = np.array([0.0, 0, 1])


def table_and_clutter(rng, n=800):
    table = np.stack([*rng.uniform(-3, 3, (2, n)), rng.normal(0, 0.005, n)], 1)
    clutter = rng.uniform(0, 1, (n // 2, 3)) + [-0.5, -0.5, 0.05]
    return np.concatenate([table, clutter]) @ TURN.T + [1, 2, 3]


def test_a_plane_that_is_tilted_too_far_is_not_taken():
    points = table_and_clutter(np.random.default_rng(0))
    plane = dominant_plane(points, np.ones(len(points)), 0.02, -TURN[:, 0], 20.0)
    assert plane is None or plane.inlier_fraction < 0.2


def test_what_lies_behind_speaks_against_a_plane():
    """A desk with much detail above a floor with less: nothing is seen through a floor."""
    rng = np.random.default_rng(1)
    desk = np.stack([*rng.uniform(-1, 1, (2, 600)), np.full(600, 1.0)], 1)
    floor = np.stack([*rng.uniform(-4, 4, (2, 500)), np.zeros(500)], 1)
    points = np.concatenate([desk, floor])
    plane = dominant_plane(points, np.ones(len(points)), 0.02, UP, 20.0)
    assert plane is not None
    assert plane.offset == pytest.approx(0.0, abs=0.01)


def test_points_that_span_no_plane_give_none():
    line = np.linspace(0, 1, 30)[:, None] * [1.0, 2.0, 3.0]
    assert dominant_plane(line[:2], np.ones(2), 0.01, UP, 180.0) is None
    assert dominant_plane(np.zeros((5, 3)), np.ones(5), 0.01, UP, 180.0) is None
