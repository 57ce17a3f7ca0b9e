import numpy as np
from scipy.spatial.transform import Rotation

from core.geometry.box import Box
from core.geometry.rigid import similarity

TURN = Rotation.from_euler("xyz", [0.3, -0.5, 1.1]).as_matrix()


def test_a_box_tells_centre_half_lengths_and_axes_back():
    box = Box.of(np.array([1.0, 2, 3]), np.array([1.0, 2, 0.5]), TURN)
    assert np.allclose(box.center, [1, 2, 3])
    assert np.allclose(box.half, [1, 2, 0.5])
    assert np.allclose(box.axes, TURN)
    assert np.isclose(box.radius, np.sqrt(1 + 4 + 0.25))


def test_corners_lie_in_the_box_and_just_beyond_them_does_not():
    box = Box.of(np.array([1.0, 2, 3]), np.array([1.0, 2, 0.5]), TURN)
    corners = box.corners()
    assert len(np.unique(corners.round(6), axis=0)) == 8
    assert box.contains(corners).all()
    assert not box.contains(box.center + 1.001 * (corners - box.center)).any()


def test_the_box_around_points_touches_them_on_all_sides():
    points = np.random.default_rng(0).normal(size=(50, 3))
    box = Box.around(points, TURN)
    assert box.contains(points).all()
    local = (points - box.center) @ box.axes / box.half
    assert np.allclose([local.min(0), local.max(0)], [[-1] * 3, [1] * 3])


def test_a_carried_box_holds_the_carried_points():
    box = Box.of(np.array([1.0, 2, 3]), np.array([1.0, 2, 0.5]), TURN)
    move = similarity(2.5, TURN.T, np.array([4.0, 0, -1]))
    points = np.random.default_rng(0).uniform(-4, 4, (200, 3))
    moved = points @ move[:3, :3].T + move[:3, 3]
    assert (box.carried(move).contains(moved) == box.contains(points)).all()
    assert np.allclose(box.carried(move).half, 2.5 * box.half)
