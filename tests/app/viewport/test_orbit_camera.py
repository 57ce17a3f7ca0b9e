import math
from dataclasses import replace

import numpy as np
import pytest

from app.viewport.orbit_camera import MAX_ELEVATION, SIDES, OrbitCamera
from app.viewport.projection import project
from core.geometry.rigid import rotation_between, similarity


def axes_with(up) -> tuple[float, ...]:
    up = np.array(up) / np.linalg.norm(up)
    return tuple(rotation_between(np.array([0.0, 0.0, 1.0]), up).ravel().tolist())


CAMERAS = [
    OrbitCamera(),
    OrbitCamera(azimuth=2.0, elevation=-0.7, distance=1.5, pivot=(0.2, -0.1, 0.3)),
    OrbitCamera(azimuth=-3.0, elevation=0.9, axes=axes_with((0.0, -1.0, 0.0))),
    OrbitCamera(azimuth=0.5, elevation=0.2, axes=axes_with((0.3, 0.4, 0.87)), roll=0.4),
]
CAMERAS += [replace(CAMERAS[1], parallel=True)]
HEIGHT = 600.0


def _pixel(camera: OrbitCamera, point) -> np.ndarray:
    """Where ``point`` appears: pixels from the viewport's centre."""
    pixels, _ = project(np.asarray(point), camera, (800, int(HEIGHT)))
    return pixels - (400, HEIGHT / 2)


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_pose_is_rigid_right_handed_and_looks_at_the_pivot(camera):
    pose = camera.scene_from_camera
    assert pose[:3, :3].T @ pose[:3, :3] == pytest.approx(np.eye(3))
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)
    assert np.cross(np.subtract(camera.pivot, pose[:3, 3]), pose[:3, 2]) == pytest.approx([0] * 3)
    if not camera.parallel:
        assert np.linalg.norm(pose[:3, 3] - camera.pivot) == pytest.approx(camera.distance)


@pytest.mark.parametrize("camera", CAMERAS[:3])
def test_up_is_up_in_the_picture(camera):
    pose = camera.scene_from_camera
    assert pose[:3, 1] @ camera.up < 0  # +Y is down
    assert pose[:3, 0] @ camera.up == pytest.approx(0.0, abs=1e-12)


def test_the_default_looks_from_above_with_plus_z_up():
    camera = OrbitCamera(azimuth=0.0, elevation=math.pi / 4, distance=math.sqrt(2.0))
    assert camera.scene_from_camera[:3, 3] == pytest.approx([1.0, 0.0, 1.0])
    assert camera.scene_from_camera[:3, 0] == pytest.approx([0.0, 1.0, 0.0])


@pytest.mark.parametrize("camera", CAMERAS[:3])
def test_orbiting_keeps_pivot_and_distance_and_undoes_itself(camera):
    turned = camera.orbited(0.7, 0.2)
    eye = turned.scene_from_camera[:3, 3]
    assert np.linalg.norm(eye - camera.pivot) == pytest.approx(camera.distance)
    back = turned.orbited(-0.7, -0.2)
    assert back.scene_from_camera == pytest.approx(camera.scene_from_camera)


def test_orbiting_stops_at_the_poles():
    assert OrbitCamera().orbited(0.0, 9.0).elevation == MAX_ELEVATION
    assert OrbitCamera().orbited(0.0, -9.0).elevation == -MAX_ELEVATION


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_pivot_follows_a_pan_pixel_by_pixel(camera):
    moved = camera.panned(30.0, -20.0, HEIGHT)
    assert _pixel(moved, camera.pivot) == pytest.approx([30.0, -20.0])


@pytest.mark.parametrize("camera", CAMERAS)
def test_what_is_grabbed_at_a_known_depth_follows_a_pan(camera):
    pose = camera.scene_from_camera
    point = pose[:3, 3] + pose[:3, :3] @ (0.1, -0.2, 1.4)
    moved = camera.panned(30.0, -20.0, HEIGHT, depth=1.4)
    assert _pixel(moved, point) - _pixel(camera, point) == pytest.approx([30.0, -20.0])


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("factor", [0.5, 1.7])
def test_what_lies_under_the_cursor_stays_there_when_zooming(camera, factor):
    under = np.array(camera.pivot) + (0.3, 0.2, -0.1)
    zoomed = camera.zoomed(factor, under)
    assert zoomed.distance == pytest.approx(factor * camera.distance)
    assert _pixel(zoomed, under) == pytest.approx(_pixel(camera, under))
    larger = _pixel(zoomed, under + (0.001, 0, 0)) - _pixel(zoomed, under)
    before = _pixel(camera, under + (0.001, 0, 0)) - _pixel(camera, under)
    assert np.linalg.norm(larger) == pytest.approx(np.linalg.norm(before) / factor, rel=0.01)


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_new_pivot_comes_to_the_middle_as_large_as_it_was(camera):
    point = np.array(camera.pivot) + (0.3, 0.2, -0.1)
    moved = camera.pivoted(point)
    assert _pixel(moved, point) == pytest.approx([0, 0], abs=1e-9)
    assert moved.scene_from_camera[:3, :3] == pytest.approx(camera.scene_from_camera[:3, :3])
    step = 1e-4 * camera.scene_from_camera[:3, 0]
    assert _pixel(moved, point + step)[0] == pytest.approx(
        _pixel(camera, point + step)[0] - _pixel(camera, point)[0], rel=1e-3
    )


def test_moving_forward_approaches_what_is_seen_and_keeps_the_direction():
    camera = CAMERAS[1]
    ahead = camera.moved(0.1, 0.2, 0.4)
    shift = ahead.scene_from_camera[:3, 3] - camera.scene_from_camera[:3, 3]
    assert camera.scene_from_camera[:3, :3].T @ shift == pytest.approx([0.1, 0.2, 0.4])
    assert ahead.scene_from_camera[:3, :3] == pytest.approx(camera.scene_from_camera[:3, :3])


@pytest.mark.parametrize("up", [(0.0, 0.0, 1.0), (0.0, -1.0, 0.0), (0.3, 0.4, 0.87)])
def test_sides_are_those_of_the_upright_frame(up):
    axes = axes_with(up)
    x, y, z = np.reshape(axes, (3, 3)).T
    looks = {"front": y, "back": -y, "left": x, "right": -x, "top": -z, "bottom": z}
    assert set(looks) == set(SIDES)
    for side, forward in looks.items():
        pose = OrbitCamera(axes=axes, roll=0.3).from_side(side).scene_from_camera
        assert pose[:3, 2] == pytest.approx(forward, abs=1e-9)
    pose = OrbitCamera(axes=axes).from_side("top").scene_from_camera
    assert pose[:3, 0] == pytest.approx(x, abs=1e-9)
    assert pose[:3, 1] == pytest.approx(-y, abs=1e-9)


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_parallel_view_shows_the_pivots_plane_as_the_perspective_one_does(camera):
    pose = camera.scene_from_camera
    point = np.array(camera.pivot) + pose[:3, :2] @ (0.3, -0.2)
    other = replace(camera, parallel=not camera.parallel)
    assert _pixel(other, point) == pytest.approx(_pixel(camera, point))
    near = point - 0.2 * pose[:3, 2]
    parallel = other if other.parallel else camera
    assert _pixel(parallel, near) == pytest.approx(_pixel(parallel, point))


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_camera_is_carried_with_the_scene(camera):
    turn = rotation_between(np.array([0.0, 0.0, 1.0]), np.array([0.6, 0.0, 0.8]))
    moved = similarity(1.7, turn, np.array([0.1, 0.2, -0.3]))
    axes = tuple((turn @ np.reshape(camera.axes, (3, 3))).ravel().tolist())
    point = np.array(camera.pivot) + (0.1, 0.05, -0.2)
    there = moved[:3, :3] @ point + moved[:3, 3]
    assert _pixel(camera.transformed(moved, axes), there) == pytest.approx(_pixel(camera, point))


def test_framing_holds_the_ball_exactly():
    camera = OrbitCamera(pivot=(5.0, 1.0, 0.0), distance=0.3).framed(1.0)
    assert camera.pivot == (0.0, 0.0, 0.0)
    assert math.asin(1.0 / camera.distance) == pytest.approx(camera.fov_y / 2)


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("up", [(0.0, 0.0, 1.0), (0.0, -1.0, 0.0)])
def test_looking_through_a_photo_gives_its_very_pose(camera, up):
    photo = camera.scene_from_camera
    through = OrbitCamera(axes=axes_with(up)).looking_through(photo, 0.6)
    assert through.scene_from_camera == pytest.approx(photo, abs=1e-9)
    assert through.fov_y == 0.6
    assert through.orbited(0.0, 0.0).roll == 0.0
