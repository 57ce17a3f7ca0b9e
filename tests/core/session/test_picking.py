"""What a click meets while there is no surface yet."""

import numpy as np
import pytest

from core.capture.scene import Scene
from core.geometry.rigid import similarity
from core.protocol import Pick
from core.session.picking import pick


@pytest.fixture
def table() -> Scene:
    """Points on the plane z = 2 of the input, which is z = 0.5 of the scene, and a few above."""
    random = np.random.default_rng(0)
    flat = np.c_[random.uniform(-2, 2, (3000, 2)), np.full(3000, 2.0)]
    above = random.uniform(-0.2, 0.2, (5, 3)) + [3.0, 0, 4]
    return Scene(
        "test",
        (),
        similarity(0.25, np.eye(3), np.zeros(3)),
        points=np.concatenate([flat, above]).astype(np.float32),
    )


def test_a_click_on_a_table_of_points_tells_its_plane(table):
    found = pick(table, None, Pick((0.1, 0.0, 2.0), (0.05, 0.05, -1.5)))
    assert found.point is not None
    assert found.point[2] == pytest.approx(0.5, abs=1e-6)
    assert found.point[:2] == pytest.approx([0.15, 0.05], abs=0.05)
    assert found.normal == pytest.approx([0, 0, 1], abs=1e-6)


def test_what_is_nearer_to_the_eye_is_met_first(table):
    found = pick(table, None, Pick((0.75, 0.0, 3.0), (0.0, 0.0, -1.0)))
    assert found.point is not None
    assert found.point[2] == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize(
    ("origin", "direction"),
    [
        ((0.0, 0.0, 2.0), (0.0, 0.0, 1.0)),
        ((0.0, 0.0, 2.0), (1.0, 0.0, 0.0)),
    ],
)
def test_behind_the_eye_and_beside_all_points_there_is_nothing(table, origin, direction):
    assert pick(table, None, Pick(origin, direction)).point is None


def test_a_scene_without_points_has_nothing_to_pick():
    found = pick(Scene("test", (), np.eye(4)), None, Pick((0, 0, 3), (0, 0, -1)))
    assert (found.point, found.normal) == (None, None)
