import math

import numpy as np
import pytest

from app.orbit_camera import MAX_ELEVATION, OrbitCamera

CAMERAS = [
    OrbitCamera(),
    OrbitCamera(azimuth=2.0, elevation=-0.7, distance=1.5, pivot=(0.2, -0.1, 0.3)),
    OrbitCamera(azimuth=-3.0, elevation=0.9, up=(0.0, -1.0, 0.0)),
    OrbitCamera(azimuth=0.5, elevation=0.2, up=(0.3, 0.4, 0.87), roll=0.4),
]
HEIGHT = 600.0


def _pixel(camera: OrbitCamera, point) -> np.ndarray:
    """Where ``point`` appears: pixels from the viewport's centre."""
    x, y, z = (np.linalg.inv(camera.scene_from_camera) @ [*point, 1.0])[:3]
    focal = 0.5 * HEIGHT / math.tan(camera.fov_y / 2)
    return np.array([x, y]) * focal / z


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_pose_is_rigid_right_handed_and_looks_at_the_pivot(camera):
    pose = camera.scene_from_camera
    assert pose[:3, :3].T @ pose[:3, :3] == pytest.approx(np.eye(3))
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)
    assert pose[:3, 3] + camera.distance * pose[:3, 2] == pytest.approx(camera.pivot)


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


def test_orbiting_stops_before_the_poles():
    assert OrbitCamera().orbited(0.0, 9.0).elevation == MAX_ELEVATION
    assert OrbitCamera().orbited(0.0, -9.0).elevation == -MAX_ELEVATION


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_pivot_follows_a_pan_pixel_by_pixel(camera):
    moved = camera.panned(30.0, -20.0, HEIGHT)
    assert _pixel(moved, camera.pivot) == pytest.approx([30.0, -20.0])


@pytest.mark.parametrize("camera", CAMERAS)
def test_what_lies_under_the_cursor_stays_there_when_zooming(camera):
    cursor = (120.0, -45.0)
    under = np.array(camera.panned(-cursor[0], -cursor[1], HEIGHT).pivot)
    closer = camera.zoomed(0.5, cursor, HEIGHT)
    assert closer.distance == pytest.approx(camera.distance / 2)
    assert _pixel(closer, under) == pytest.approx(cursor)


def test_framing_holds_the_ball_exactly():
    camera = OrbitCamera(pivot=(5.0, 1.0, 0.0), distance=0.3).framed(1.0)
    assert camera.pivot == (0.0, 0.0, 0.0)
    assert math.asin(1.0 / camera.distance) == pytest.approx(camera.fov_y / 2)


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("up", [(0.0, 0.0, 1.0), (0.0, -1.0, 0.0)])
def test_looking_through_a_photo_gives_its_very_pose(camera, up):
    photo = camera.scene_from_camera
    through = OrbitCamera(up=up).looking_through(photo, 0.6)
    assert through.scene_from_camera == pytest.approx(photo, abs=1e-9)
    assert through.fov_y == 0.6
    assert through.orbited(0.0, 0.0).roll == 0.0
