import numpy as np
import pytest

from app.viewport.orbit_camera import OrbitCamera
from app.viewport.projection import project, ray

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


@pytest.mark.parametrize("parallel", [False, True])
def test_the_ray_of_a_pixel_meets_what_is_seen_there(parallel):
    camera, point = OrbitCamera(parallel=parallel), np.array([0.2, -0.1, 0.3])
    pixel, _ = project(point, camera, SIZE)
    origin, direction = ray(*pixel, camera, SIZE)
    away = point - origin
    assert direction == pytest.approx(away / np.linalg.norm(away))
