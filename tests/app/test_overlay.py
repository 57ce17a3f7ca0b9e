import numpy as np
import pytest

from app.orbit_camera import OrbitCamera
from app.overlay import MAX_CAMERAS, frusta, project
from core.messages import Opened

SIZE = (800, 600)


def _opened(poses: list[np.ndarray]) -> Opened:
    return Opened(
        "p", "k", "cpu", len(poses), 0, 0, False, tuple(tuple(p.ravel().tolist()) for p in poses),
        np.pi / 2, 1.5, (0.0, 0.0, 1.0), 8, "draft", {}, 1.0,
    )


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
    (frustum,) = frusta(_opened([pose]))
    assert frustum[0] == pytest.approx(pose[:3, 3])
    middle = frustum[1:].mean(0) - frustum[0]
    assert middle / np.linalg.norm(middle) == pytest.approx(pose[:3, 2])
    across, down = frustum[2] - frustum[1], frustum[3] - frustum[2]
    assert np.linalg.norm(across) / np.linalg.norm(down) == pytest.approx(1.5)


def test_of_many_photos_some_are_drawn():
    cameras = [OrbitCamera(azimuth=a) for a in np.arange(1000) / 200]
    shown = frusta(_opened([camera.scene_from_camera for camera in cameras]))
    assert MAX_CAMERAS / 2 < len(shown) <= MAX_CAMERAS
