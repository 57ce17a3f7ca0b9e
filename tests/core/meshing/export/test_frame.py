"""The unit of a mesh, and how its photos follow."""

import numpy as np
import pytest

from core.base.errors import UserError
from core.capture.scene import Photo, Scene
from core.config.mesh import MeshOptions
from core.meshing.export.frame import export_from_input, export_unit, photos_in_export_frame
from tests.core.captures import LENS, look_at

PHOTO = Photo("a", None, LENS, look_at(np.array([3.0, 0, 0]), np.zeros(3)))


@pytest.mark.parametrize(("unit", "factor"), [("mm", 500.0), ("m", 0.5), ("in", 0.5 / 0.0254)])
def test_lengths_are_converted_and_cameras_with_them(unit, factor):
    """One unit of the input's frame is half a metre."""
    scene = Scene("test", (PHOTO,), np.eye(4), unit="m", units_per_input=0.5)
    options = MeshOptions(unit=unit)
    out = export_from_input(scene, options)
    np.testing.assert_allclose(out[:3, :3], factor * np.eye(3))
    np.testing.assert_allclose(
        photos_in_export_frame(scene, options)[0].world_from_camera[:3, 3], [3 * factor, 0, 0]
    )
    assert export_unit(scene, options) == unit
    assert export_unit(scene, MeshOptions()) == "m"


@pytest.mark.parametrize("unit", ["", "owl"])
def test_a_scale_that_nobody_knows_is_not_made_up(unit):
    scene = Scene("test", (PHOTO,), np.eye(4), unit=unit)
    with pytest.raises(UserError, match="cannot be in mm: nothing says how large"):
        export_from_input(scene, MeshOptions(unit="mm"))
    np.testing.assert_array_equal(export_from_input(scene, MeshOptions()), np.eye(4))
