"""The way of a film through chosen views."""

from dataclasses import replace

import numpy as np

from app.viewport.keyframe_path import KeyframePath
from app.viewport.orbit_camera import SCENE_AXES, OrbitCamera

HERE = OrbitCamera()
THERE = HERE.orbited(1.0, 0.2)


def test_it_begins_and_ends_with_the_views_that_were_added_and_is_in_perspective():
    path = (
        KeyframePath(seconds=2.0, rate=25)
        .with_keyframe(HERE)
        .with_keyframe(replace(THERE, parallel=True))
    )
    assert path.n_frames == 50
    for share, view in ((0.0, HERE), (0.999, THERE)):
        np.testing.assert_allclose(
            path.camera_at(share).scene_from_camera, view.scene_from_camera, atol=1e-6
        )


def test_there_is_a_line_to_draw_from_two_views_on():
    one = KeyframePath().with_keyframe(HERE)
    assert len(KeyframePath().polyline()) == len(one.polyline()) == 0
    line = one.with_keyframe(THERE).polyline()
    np.testing.assert_allclose(
        line[[0, -1]], [HERE.scene_from_camera[:3, 3], THERE.scene_from_camera[:3, 3]], atol=1e-9
    )
    closed = replace(one.with_keyframe(THERE), closed=True).polyline()
    np.testing.assert_allclose(closed[0], closed[-1])


def test_a_scene_that_moves_takes_the_path_with_it():
    moved = np.diag([2.0, 2.0, 2.0, 1.0])
    moved[:3, 3] = 1.0, 0.0, 0.0
    path = KeyframePath().with_keyframe(HERE).with_keyframe(THERE)
    np.testing.assert_allclose(
        path.transformed(moved, SCENE_AXES).polyline(),
        2 * path.polyline() + [1.0, 0.0, 0.0],
        atol=1e-6,
    )


def test_what_is_kept_of_a_path_leads_past_the_same():
    views = tuple(OrbitCamera(azimuth=0.7 * i, distance=2.0 + i, fov_y=0.6) for i in range(3))
    path = KeyframePath(views, 9.5, 25, True)
    again = KeyframePath.from_camera_path(path.camera_path, SCENE_AXES)
    np.testing.assert_allclose(again.poses, path.poses, atol=1e-9)
    assert again.camera_path.fov_y == 0.6
    assert (again.seconds, again.rate, again.closed) == (9.5, 25, True)
    assert KeyframePath.from_camera_path(KeyframePath().camera_path, SCENE_AXES) == KeyframePath()
