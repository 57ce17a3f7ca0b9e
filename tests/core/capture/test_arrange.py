from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.base.errors import UserError
from core.capture.edits import edit_scene
from core.capture.scene import Intrinsics, Photo, Scene
from core.geometry.box import Box
from core.geometry.edits import GroundPlane, KnownLength, QuarterTurn, RegionEdit
from core.geometry.rigid import invert, similarity, transform_points

TURN = Rotation.from_euler("xyz", [0.3, -0.5, 1.1]).as_matrix()


@pytest.fixture
def scene(tmp_path) -> Scene:
    """In an input frame that is tilted, shifted and four times as large as the ball."""
    lens = Intrinsics(40, 30, 50.0, 50.0, 20.0, 15.0)
    poses = [similarity(1.0, np.eye(3), TURN.T @ [x, -8.0, 6.0]) for x in (-2.0, 0.0, 2.0)]
    photos = tuple(Photo(str(i), tmp_path / f"{i}.png", lens, p) for i, p in enumerate(poses))
    upright = similarity(1.0, TURN, np.zeros(3))
    bare = Scene("test", photos, np.eye(4), upright_from_input=upright)
    return bare.with_region(Box.of(TURN.T @ [1.0, 2, 3], np.array([2.0, 2.5, 2.2]), TURN.T))


def up_of(scene: Scene) -> np.ndarray:
    """In the input's frame."""
    return scene.upright_from_input[2, :3]


def test_the_region_fills_the_ball_and_lies_upright_in_it(scene):
    box = scene.region_in_scene
    assert box.center == pytest.approx(np.zeros(3), abs=1e-12)
    assert box.radius == pytest.approx(1)
    assert box.axes == pytest.approx(np.eye(3))


def test_a_region_given_in_the_scene_lies_there_in_the_input(scene):
    cube = Box.of(np.array([0.1, 0, 0.2]), np.array([0.3, 0.2, 0.1])).frame_from_cube
    edited = edit_scene(scene, RegionEdit(tuple(cube.ravel())))
    assert edited.region_in_scene.frame_from_cube == pytest.approx(cube)
    assert edited.scene_from_input is scene.scene_from_input, "the field is not moved"
    assert edited.region is not None
    refit = edited.with_region(edited.region).region_in_scene
    assert refit.radius == pytest.approx(1)
    assert refit.half / refit.half[0] == pytest.approx([1, 2 / 3, 1 / 3])


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_four_quarter_turns_are_none_and_one_keeps_the_region_in_place(scene, axis):
    once = edit_scene(scene, QuarterTurn(axis))
    corners = {tuple(c) for c in scene.region.corners().round(6)}
    assert {tuple(c) for c in once.region.corners().round(6)} == corners
    facing = once.upright_from_input[:3, :3] @ once.region.axes
    assert facing == pytest.approx(np.eye(3), abs=1e-9), "its axes are named anew"
    four = scene
    for _ in range(4):
        four = edit_scene(four, QuarterTurn(axis))
    assert four.upright_from_input == pytest.approx(scene.upright_from_input)


def test_a_quarter_turn_about_x_lifts_y_up(scene):
    y = scene.upright_from_input[1, :3]
    assert up_of(edit_scene(scene, QuarterTurn("x"))) == pytest.approx(y)


def test_the_picked_plane_becomes_level_ground_at_zero_whichever_way_its_normal_points(scene):
    """A plane tilted by 0.2 against the present up."""
    tilt = Rotation.from_euler("x", 0.2).as_matrix()
    normal = scene.scene_from_input[:3, :3] @ TURN.T @ tilt @ [0, 0, 1]
    point = np.array([0.1, 0.2, -0.3])
    across = np.cross(normal, [1.0, 0, 0])
    inside = transform_points(invert(scene.scene_from_input), np.stack([point, point + across]))
    for sign in (1, -1):
        edited = edit_scene(scene, GroundPlane(tuple(point), tuple(sign * normal)))
        level = transform_points(edited.upright_from_input, inside)
        assert level[:, 2] == pytest.approx([0, 0], abs=1e-9)
        eyes = np.stack([p.world_from_camera[:3, 3] for p in scene.photos])
        assert transform_points(edited.upright_from_input, eyes)[:, 2].min() > 0
        turned = edited.upright_from_input[:3, :3] @ edited.region.axes
        assert turned == pytest.approx(np.eye(3), abs=1e-9)


def test_a_known_length_makes_that_length_true_in_what_is_exported(scene):
    a, b = np.array([0.1, 0.2, 0.3]), np.array([-0.2, 0.5, 0.1])
    edited = edit_scene(scene, KnownLength(tuple(a), tuple(b), 25.4, "mm"))
    ends = transform_points(
        edited.out_from_input("input") @ invert(scene.scene_from_input), np.stack([a, b])
    )
    assert np.linalg.norm(ends[0] - ends[1]) == pytest.approx(25.4)
    assert edited.unit == "mm"
    again = edit_scene(edited, KnownLength(tuple(a), tuple(b), 0.0254, "m"))
    assert again.units_per_input == pytest.approx(edited.units_per_input / 1000)


@pytest.mark.parametrize(
    "edit",
    [
        KnownLength((0.0, 0, 0), (0.0, 0, 0), 1.0, "m"),
        KnownLength((0.0, 0, 0), (1.0, 0, 0), -1.0, "m"),
        GroundPlane((0.0, 0, 0), (0.0, 0, 0)),
        RegionEdit((0.0,) * 16),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(scene, edit):
    with pytest.raises(UserError) as caught:
        edit_scene(scene, edit)
    assert len(str(caught.value).splitlines()) == 1


def test_exports_are_in_the_input_frame_unless_that_means_nothing_or_axes_are_asked_for(scene):
    tilted = scene.upright_from_input
    assert scene.out_from_input("input") == pytest.approx(np.eye(4))
    assert replace(scene, frame_is_free=True).out_from_input("input") == pytest.approx(tilted)
    assert scene.out_from_input("z") == pytest.approx(tilted)
    up = scene.out_from_input("y")[:3, :3] @ up_of(scene)
    assert up == pytest.approx([0, 1, 0])
    assert np.linalg.det(scene.out_from_input("y")[:3, :3]) == pytest.approx(1)
