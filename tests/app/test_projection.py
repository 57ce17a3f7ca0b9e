import numpy as np
import pytest

from app.orbit_camera import OrbitCamera
from app.projection import MAX_CAMERAS, frusta, project, ray, splat

SIZE = (800, 600)


def test_the_pivot_projects_to_the_middle_and_what_is_behind_is_told():
    camera = OrbitCamera(pivot=(0.1, 0.2, 0.3))
    pose = camera.scene_from_camera
    behind = pose[:3, 3] - pose[:3, 2]
    pixels, before = project(np.array([camera.pivot, behind]), camera, SIZE)
    assert pixels[0] == pytest.approx([400.0, 300.0])
    assert before.tolist() == [True, False]


def test_a_point_at_the_edge_of_the_field_of_view_is_at_the_edge_of_the_picture():
    camera = OrbitCamera(distance=2.0)
    pose = camera.scene_from_camera
    top = np.array(camera.pivot) - 2.0 * np.tan(camera.fov_y / 2) * pose[:3, 1]
    pixels, _ = project(top, camera, SIZE)
    assert pixels == pytest.approx([400.0, 0.0], abs=1e-9)


def test_a_frustum_opens_along_the_axis_of_its_photo():
    pose = OrbitCamera().scene_from_camera
    (frustum,) = frusta(pose[None], np.pi / 2, 1.5)
    assert frustum[0] == pytest.approx(pose[:3, 3])
    middle = frustum[1:].mean(0) - frustum[0]
    assert middle / np.linalg.norm(middle) == pytest.approx(pose[:3, 2])
    across, down = frustum[2] - frustum[1], frustum[3] - frustum[2]
    assert np.linalg.norm(across) / np.linalg.norm(down) == pytest.approx(1.5)


def test_of_many_photos_some_are_drawn():
    cameras = [OrbitCamera(azimuth=a) for a in np.arange(1000) / 200]
    shown = frusta(
        np.stack([camera.scene_from_camera for camera in cameras]), np.pi / 2, 1.5)
    assert MAX_CAMERAS / 2 < len(shown) <= MAX_CAMERAS


@pytest.mark.parametrize("parallel", [False, True])
def test_the_ray_of_a_pixel_meets_what_is_seen_there(parallel):
    camera, point = OrbitCamera(parallel=parallel), np.array([0.2, -0.1, 0.3])
    pixel, _ = project(point, camera, SIZE)
    origin, direction = ray(*pixel, camera, SIZE)
    away = point - origin
    assert direction == pytest.approx(away / np.linalg.norm(away))


def test_dots_lie_where_points_project_and_the_nearer_hides_the_farther():
    camera = OrbitCamera()
    eye, direction = ray(400.4, 300.4, camera, SIZE)
    near, far = eye + 2 * direction, eye + 3 * direction
    picture = splat(np.stack([near, far, eye - direction]), camera, SIZE)
    alone = splat(near[None], camera, SIZE)
    assert (picture == alone).all()
    rows, columns = np.nonzero((alone != alone[0, 0]).any(-1))
    assert {*rows.tolist()} == {300, 301}
    assert {*columns.tolist()} == {400, 401}
