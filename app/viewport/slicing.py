"""Where a slice goes through the scene, and how far apart its contours are. Pure."""

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
"""Pixels between two contours, at least."""


@dataclass(frozen=True)
class SceneSlice:
    """A plane across the unit ``normal`` at ``offset``, scene frame; a unit of that is ``scale``
    of the scene's ``unit`` ("" while that is unknown)."""

    normal: Point = (0.0, 0.0, 1.0)
    offset: float = 0.0
    scale: float = 1.0
    unit: str = ""

    def contour_spacing(self, camera: OrbitCamera, height: int) -> float:
        """Between contours in the scene's unit: 1, 2 or 5 times a power of ten, and at least
        `MIN_CONTOUR_PX` pixels of a viewport of ``height`` as far away as the pivot."""
        visible = camera.span or 2 * camera.distance * math.tan(camera.fov_y / 2)
        return _round_up(MIN_CONTOUR_PX * self.scale * visible / height)

    def plane(self, camera: OrbitCamera, height: int) -> SlicePlane:
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
