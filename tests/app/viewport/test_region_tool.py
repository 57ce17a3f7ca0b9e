import numpy as np
import pytest

from app.viewport.orbit_camera import OrbitCamera
from app.viewport.projection import project
from app.viewport.region_tool import RegionTool, drag_face, face_centers
from core.geometry.box import Box
from core.geometry.rigid import rotation_about_z

SIZE = (800, 600)
BOX = Box.of(np.array([0.1, -0.2, 0.3]), np.array([0.5, 0.4, 0.3]), rotation_about_z(0.4))


def test_handles_lie_on_the_faces():
    local = (face_centers(BOX) - BOX.center) @ BOX.axes / BOX.half
    assert np.allclose(np.abs(local).sum(1), 1)


@pytest.mark.parametrize("handle", range(6))
def test_a_dragged_face_moves_and_the_opposite_one_stays(handle):
    camera = OrbitCamera()
    here, there = face_centers(BOX)[handle], face_centers(BOX)[handle] * 1.0
    there = there + 0.2 * (there - BOX.center)
    pixels, _ = project(np.stack([here, there]), camera, SIZE)
    by = pixels[1] - pixels[0]
    box = drag_face(BOX, handle, (by[0], by[1]), camera, SIZE)
    opposite = (handle + 3) % 6
    assert face_centers(box)[opposite] == pytest.approx(face_centers(BOX)[opposite])
    # perspective makes the rate an approximation that holds at the start of the drag
    assert box.half[handle % 3] == pytest.approx(1.1 * BOX.half[handle % 3], rel=0.03)
    assert np.allclose(np.delete(box.half, handle % 3), np.delete(BOX.half, handle % 3))
    assert np.allclose(box.axes, BOX.axes)


def test_the_whole_box_moves_along_the_axis_of_the_handle_and_keeps_its_size():
    camera = OrbitCamera()
    box = drag_face(BOX, 2, (0.0, -20.0), camera, SIZE, whole=True)
    assert np.allclose(box.half, BOX.half)
    assert np.cross(box.center - BOX.center, BOX.axes[:, 2]) == pytest.approx(np.zeros(3))
    assert (box.center - BOX.center) @ BOX.axes[:, 2] > 0, "up"


def test_a_face_is_never_dragged_through_the_opposite_one():
    camera = OrbitCamera()
    pixels, _ = project(np.stack([face_centers(BOX)[0], BOX.center]), camera, SIZE)
    by = 10 * (pixels[1] - pixels[0])
    assert drag_face(BOX, 0, (by[0], by[1]), camera, SIZE).half.min() > 0


def test_only_a_handle_can_be_grabbed_and_only_while_it_is_shown():
    tool, camera = RegionTool(lambda box: None), OrbitCamera()
    tool.box = BOX
    (x, y), _ = project(face_centers(BOX)[2], camera, SIZE)
    assert tool.grab_handle(x + 3, y, camera, SIZE)
    assert not tool.grab_handle(1, 1, camera, SIZE)
    assert not tool.grab_handle(*project(BOX.center, camera, SIZE)[0], camera, SIZE), (
        "turns the view"
    )
    tool.shown = False
    assert not tool.grab_handle(x, y, camera, SIZE)


def test_a_face_seen_end_on_cannot_be_grabbed():
    """The middle of the picture is where people turn the view."""
    tool = RegionTool(lambda box: None)
    tool.box = Box.of(np.zeros(3), np.full(3, 0.5))
    camera = OrbitCamera(azimuth=0.0, elevation=0.0)
    assert not tool.grab_handle(SIZE[0] / 2, SIZE[1] / 2, camera, SIZE)
