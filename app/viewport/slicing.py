"""The plane of a slice, and the spacing of its contours. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.viewport.orbit_camera import OrbitCamera
from core.geometry.box import Box
from core.geometry.rigid import similarity_scale
from core.geometry.view import Point, SlicePlane
from core.protocol import Arrangement

AXES = ("X", "Y", "Z")
MIN_CONTOUR_PX = 28
"""Least distance of two contours on screen."""


@dataclass(frozen=True)
class SceneSlice:
    """A plane through the scene."""

    normal: Point = (0.0, 0.0, 1.0)
    """Unit, scene frame."""
    offset: float = 0.0
    """Along the normal, scene units."""
    scale: float = 1.0
    """Scene's own units in one unit of the scene frame."""
    unit: str = ""
    """Name of that unit; "" if unknown."""

    def contour_spacing(self, camera: OrbitCamera, height: int) -> float:
        """Return the distance between contours: 1, 2 or 5 times a power of ten.

        Args:
            camera: The camera.
            height: Of the viewport, pixels.

        Returns:
            In the scene's own unit.
        """
        visible = camera.span or 2 * camera.distance * math.tan(camera.fov_y / 2)
        return _round_up(MIN_CONTOUR_PX * self.scale * visible / height)

    def plane(self, camera: OrbitCamera, height: int) -> SlicePlane:
        """Return the plane as it is rendered, with its contours."""
        return SlicePlane(
            self.normal, self.offset, self.contour_spacing(camera, height) / self.scale
        )


def slice_through(arrangement: Arrangement, axis: int, fraction: float) -> SceneSlice:
    """Return the slice perpendicular to an axis of the upright frame.

    Args:
        arrangement: Where the region and the upright frame are.
        axis: 0, 1 or 2 for X, Y or Z.
        fraction: Position within the region along the axis, in [0, 1]; clipped to the unit ball.
    """
    upright = np.reshape(arrangement.upright_from_scene, (4, 4))
    scale = similarity_scale(upright)
    normal = upright[axis, :3] / scale
    ends = Box(np.reshape(arrangement.region, (4, 4))).corners() @ normal
    low, high = max(ends.min(), -1.0), min(ends.max(), 1.0)
    x, y, z = normal.tolist()
    return SceneSlice((x, y, z), float(low + fraction * (high - low)), scale, arrangement.unit)


def _round_up(length: float) -> float:
    power = 10.0 ** math.floor(math.log10(length))
    return next(f * power for f in (1, 2, 5, 10) if f * power >= length * (1 - 1e-9))
