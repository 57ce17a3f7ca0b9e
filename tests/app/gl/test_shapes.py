import numpy as np
import pytest

from app.gl import shapes
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.projection import project
from core.geometry.box import Box
from core.geometry.rigid import rotation_between, similarity, transform_points

GREY = (150, 150, 150, 200)


def test_a_frustum_opens_along_the_axis_of_its_photo_with_its_own_lens():
    pose = OrbitCamera().scene_from_camera
    wide, narrow = shapes.frusta(np.stack([pose, pose]), [(np.pi / 2, 1.5), (0.2, 1.0)])
    for frustum in (wide, narrow):
        assert frustum[0] == pytest.approx(pose[:3, 3])
        middle = frustum[1:].mean(0) - frustum[0]
        assert middle / np.linalg.norm(middle) == pytest.approx(pose[:3, 2])
    across, down = wide[2] - wide[1], wide[4] - wide[1]
    assert np.linalg.norm(across) / np.linalg.norm(down) == pytest.approx(1.5)
    assert np.linalg.norm(down) == pytest.approx(2 * shapes.FRUSTUM_LENGTH)
    (photo,) = shapes.photo_records(wide[None])
    assert photo["right"] == pytest.approx(across / 2, rel=1e-5)
    assert photo["center"] - photo["right"] - photo["down"] == pytest.approx(wide[1], abs=1e-6)


def test_the_chosen_camera_is_brighter_than_the_others():
    poses = np.stack([OrbitCamera(azimuth=a).scene_from_camera for a in (0, 1, 2)])
    corners = shapes.frusta(poses, [(0.5, 1.0)] * 3)
    drawn = shapes.frustum_lines(corners, GREY, 1, (0, 255, 0, 255)).reshape(3, 8)
    assert (drawn["color"][1] == (0, 255, 0, 255)).all()
    assert (drawn["color"][[0, 2]] == GREY).all()


@pytest.mark.parametrize("scale", [0.37, 4.1])
def test_the_ground_is_level_under_the_region_and_its_lines_are_round_lengths_apart(scale):
    turn = rotation_between(np.array([0.0, 0, 1]), np.array([0.0, 0.6, 0.8]))
    upright_from_scene = similarity(scale, turn, np.array([0.3, 1.0, -0.2]))
    box = Box.of(np.array([0.1, 0.2, 0.1]), np.array([0.4, 0.5, 0.6]))
    drawn = shapes.ground_grid(upright_from_scene, box, GREY)
    grid, axes = drawn[:-3], drawn[-3:]
    ends = transform_points(upright_from_scene, np.stack([grid["a"], grid["b"]]).reshape(-1, 3))
    corners = transform_points(upright_from_scene, box.corners())
    assert np.ptp(ends[:, 2]) < 1e-5
    assert ends[0, 2] < corners[:, 2].min()
    step = np.linalg.norm(ends[: len(grid)] - ends[len(grid) :], axis=1)
    assert step == pytest.approx(step[0], rel=1e-4)
    assert float(f"{step[0]:.3g}") / 10 ** np.floor(np.log10(step[0] * 1.001)) in (1, 2, 5)
    assert (ends[:, :2].min(0) < corners[:, :2].min(0)).all()
    assert (ends[:, :2].max(0) > corners[:, :2].max(0)).all()
    along = (axes["b"] - axes["a"]) @ turn.T
    assert along / np.linalg.norm(along, axis=1)[:, None] == pytest.approx(np.eye(3), abs=1e-5)


@pytest.mark.parametrize("parallel", [False, True])
def test_axes_are_named_upright_and_as_high_from_near_and_from_far(parallel):
    size, height = (800, 600), 12
    axes = shapes.line_records(np.stack([np.zeros((3, 3)), 0.3 * np.eye(3)], 1), GREY, 2.0)
    for distance in (1.5, 4.0):
        camera = OrbitCamera(distance=distance, parallel=parallel)
        names = shapes.axis_labels(axes, camera, size, height)
        ends = np.concatenate([names["a"], names["b"]])
        pixels, before = project(ends, camera, size)
        assert before.all()
        pixels = np.split(pixels.reshape(2, -1, 2), (2, 5), axis=1)
        for letter, tip in zip(pixels, project(axes["b"], camera, size)[0]):
            low, high = letter.reshape(-1, 2).min(0), letter.reshape(-1, 2).max(0)
            assert high[1] - low[1] == pytest.approx(height, rel=0.25)
            assert np.linalg.norm((low + high) / 2 - tip) < 1.5 * height
