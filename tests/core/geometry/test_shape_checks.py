"""Arrays of a wrong shape are refused at the public entries, by the name of the argument."""

import numpy as np
import pytest

from core.geometry.box import Box
from core.geometry.camera_path import smooth_path
from core.geometry.cameras import Intrinsics, pixel_directions, project
from core.geometry.scene_ball import enclosing_ball, focus_point

LENS = Intrinsics(4, 4, 2.0, 2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: project(LENS, np.zeros((5, 2))), "points_camera"),
        (lambda: pixel_directions(LENS, np.zeros((5, 3))), "uv"),
        (lambda: smooth_path(np.zeros((2, 3, 4)), 5), "keys"),
        (lambda: enclosing_ball(np.zeros(3)), "points"),
        (lambda: focus_point(np.zeros((4, 3)), np.zeros((5, 3))), "forward"),
        (lambda: Box.bounding(np.zeros((3, 5))), "points"),
    ],
)
def test_a_wrong_shape_is_refused_by_name(call, argument):
    with pytest.raises(ValueError, match=f"^{argument} has shape"):
        call()
