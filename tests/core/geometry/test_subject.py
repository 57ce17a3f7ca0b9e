import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.geometry.rigid import similarity
from core.geometry.subject import find_aim, propose_subject, upright_box
from tests.core.captures import LENS, look_at, orbit

ORBIT = np.stack(orbit(24))
AROUND_WALL = np.stack(
    [
        look_at((4 * np.sin(a), -4 * np.cos(a), h), (0, 0, 0))
        for a in np.linspace(-0.6, 0.6, 9)
        for h in (-0.5, 0.8)
    ]
)
OUTWARD = np.stack(
    [
        look_at((np.cos(a), np.sin(a), 0), (9 * np.cos(a), 9 * np.sin(a), 0))
        for a in np.linspace(0, 6, 20)
    ]
)


def on_ball(rng, n, radius=0.7, center=(0, 0, 0)):
    directions = rng.normal(size=(n, 3))
    return center + radius * directions / np.linalg.norm(directions, axis=1, keepdims=True)


def sheet(rng, n, half, axis, at, rough=0.003):
    """Points on a square across ``axis``."""
    points = rng.uniform(-half, half, (n, 3))
    points[:, axis] = at + rough * rng.normal(size=n)
    return points


def proposed(points, poses):
    return propose_subject(points, find_aim(points, poses, [LENS] * len(poses)), poses)


def holds(found, subject):
    in_ball = np.linalg.norm(subject - found.ball[0], axis=1) < found.ball[1]
    return found.box.contains(subject).all() and in_ball.all()


@pytest.mark.parametrize("n", [400, 2000])
def test_an_object_on_a_table_gets_a_box_that_ends_a_little_below_the_table(n):
    rng = np.random.default_rng(0)
    subject = on_ball(rng, n)
    table = sheet(rng, 3000, 4.0, 2, -0.7)
    found = proposed(np.concatenate([subject, table]), ORBIT)
    assert found.setting == "on_plane"
    assert found.ground == pytest.approx(-0.7, abs=0.02)
    assert holds(found, on_ball(rng, 5000))
    bottom = found.box.corners()[:, 2].min()
    assert -0.9 < bottom < -0.7
    assert 8 * found.box.half.prod() < 3 * 1.4**3


def test_a_rough_bed_is_no_part_of_what_lies_on_it():
    rng = np.random.default_rng(1)
    bed = sheet(rng, 3000, 4.0, 2, -0.7, rough=0.06)
    found = proposed(np.concatenate([on_ball(rng, 3000), bed]), ORBIT)
    assert found.setting == "on_plane"
    assert 8 * found.box.half.prod() < 3 * 1.4**3


def test_an_object_in_a_room_is_told_from_the_clutter_around_it():
    rng = np.random.default_rng(2)
    clutter = on_ball(rng, 400, 0.3, (2.0, 1.5, 0.0))
    far = 30 * rng.normal(size=(2000, 3))
    found = proposed(np.concatenate([on_ball(rng, 2000), clutter, far]), ORBIT)
    assert found.setting == "object"
    assert found.ground is None
    assert holds(found, on_ball(rng, 1000))
    assert not found.box.contains(clutter).any()


def test_a_long_object_gets_a_box_along_it():
    rng = np.random.default_rng(3)
    turn = Rotation.from_euler("z", 33, degrees=True).as_matrix()
    subject = rng.uniform(-1, 1, (3000, 3)) * [1.0, 0.2, 0.3] @ turn.T
    found = proposed(np.concatenate([subject, sheet(rng, 3000, 4.0, 2, -0.3)]), ORBIT)
    along = found.box.axes[:, np.argmax(found.box.half[:2])]
    assert abs(along @ turn[:, 0]) > np.cos(np.radians(4))
    assert holds(found, subject)


def test_something_on_a_wall_is_boxed_with_a_little_of_the_wall():
    rng = np.random.default_rng(4)
    subject = on_ball(rng, 2000, 0.6)
    subject = subject[subject[:, 1] < 0.3]
    wall = sheet(rng, 15_000, 6.0, 1, 0.5)
    found = proposed(np.concatenate([subject, wall]), AROUND_WALL)
    assert found.setting == "on_wall"
    assert holds(found, subject)
    assert 0.5 < found.box.corners()[:, 1].max() < 0.7
    assert np.ptp(found.box.corners()[:, 0]) < 2.0


def test_a_facade_is_boxed_as_wide_as_it_is_looked_at_and_flat():
    rng = np.random.default_rng(5)
    wall = sheet(rng, 4000, 6.0, 1, 0.5)
    balconies = on_ball(rng, 60, 0.2, (0.5, 0.4, 0.3))
    found = proposed(np.concatenate([wall, balconies]), AROUND_WALL)
    assert found.setting == "facade"
    size = np.ptp(found.box.corners(), axis=0)
    assert holds(found, balconies)
    assert size[1] < 1.5 < min(size[0], size[2])


def test_the_same_facade_seen_in_a_turned_frame_gets_the_turned_box():
    rng = np.random.default_rng(5)
    wall = sheet(rng, 4000, 6.0, 1, 0.5)
    turn = similarity(1.0, Rotation.from_euler("z", 40, degrees=True).as_matrix(), np.zeros(3))
    found = proposed(wall, AROUND_WALL)
    turned = proposed(wall @ turn[:3, :3].T, turn @ AROUND_WALL)
    np.testing.assert_allclose(turned.box.half, found.box.half, rtol=0.05)


def test_a_room_seen_from_within_lies_in_its_box():
    rng = np.random.default_rng(6)
    walls = rng.uniform(-3, 3, (3000, 3))
    walls[np.arange(3000), rng.integers(0, 3, 3000)] = rng.choice([-3.0, 3.0], 3000)
    found = proposed(np.concatenate([walls, 40 * rng.normal(size=(20, 3))]), OUTWARD)
    assert found.setting == "room"
    assert found.box.contains(walls).mean() > 0.99
    assert found.box.half.max() < 4.0
    assert np.linalg.norm(found.box.corners() - found.ball[0], axis=1).max() < 1.001 * found.ball[1]


def test_an_upright_box_is_wider_by_its_margin_and_drops_strays():
    points = np.random.default_rng(7).uniform(-1, 1, (4000, 3)) * [2.0, 1.0, 0.5]
    box = upright_box(points, margin=0.25)
    np.testing.assert_allclose(np.sort(box.half), [0.75, 1.25, 2.25], atol=0.02)
    assert box.contains(points).all()
    astray = np.concatenate([points, [[50.0, 0, 0], [0, 0, -50.0]]])
    assert upright_box(astray, outliers=0.002).half.max() < 2.1


def test_a_handful_of_points_still_gives_a_box():
    points = np.random.default_rng(8).normal(size=(5, 3)) * 20
    found = proposed(points, ORBIT)
    assert np.isfinite(found.box.frame_from_cube).all()
    assert found.box.half.min() > 0
