"""A turntable camera around a pivot, in the unit-ball frame. Pure.

Azimuth and elevation are radians of the direction from the pivot to the eye, measured in a frame
whose third axis is ``up``; poses are scene_from_camera [4, 4] with OpenCV axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from core.geometry.rigid import carried_pose, similarity_scale

MAX_ELEVATION = math.radians(89.0)
MIN_DISTANCE, MAX_DISTANCE = 0.02, 20.0


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)


def _turntable_axes(up: tuple[float, float, float]) -> np.ndarray:
    """[3, 3] rotation whose third column is ``up``; the identity for +Z."""
    z = _unit(np.asarray(up, float))
    helper = np.array([0.0, 1.0, 0.0]) if abs(z[1]) < 0.9 else np.array([0.0, 0.0, -1.0])
    x = _unit(np.cross(helper, z))
    return np.stack([x, np.cross(z, x), z], axis=1)


@dataclass(frozen=True)
class OrbitCamera:
    """Angles in radians; ``pivot`` and ``distance`` in scene units. ``roll`` turns the picture
    about the view axis: only a photo looked through has one, and orbiting sets it upright."""

    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)
    azimuth: float = math.radians(-60.0)
    elevation: float = math.radians(25.0)
    distance: float = 3.0
    fov_y: float = math.radians(45.0)
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)
    roll: float = 0.0

    @property
    def scene_from_camera(self) -> np.ndarray:
        """[4, 4] rigid, float64."""
        ce, se = math.cos(self.elevation), math.sin(self.elevation)
        ca, sa = math.cos(self.azimuth), math.sin(self.azimuth)
        axes = _turntable_axes(self.up)
        outward = axes @ (ce * ca, ce * sa, se)
        right = axes @ (-sa, ca, 0.0)
        down = np.cross(-outward, right)
        cr, sr = math.cos(self.roll), math.sin(self.roll)
        pose = np.eye(4)
        pose[:3, 0] = cr * right + sr * down
        pose[:3, 1] = -sr * right + cr * down
        pose[:3, 2] = -outward
        pose[:3, 3] = np.asarray(self.pivot) + self.distance * outward
        return pose

    def orbited(self, azimuth: float, elevation: float) -> OrbitCamera:
        """Turned about the pivot by these angles; stops short of the poles."""
        limited = min(max(self.elevation + elevation, -MAX_ELEVATION), MAX_ELEVATION)
        return replace(
            self, azimuth=math.remainder(self.azimuth + azimuth, math.tau), elevation=limited,
            roll=0.0,
        )

    def panned(self, dx: float, dy: float, height: float) -> OrbitCamera:
        """Moved so that what lies in the pivot's plane follows a drag by (``dx``, ``dy``) pixels
        in a viewport of ``height`` pixels."""
        return self._shifted(-dx * self._unit_per_pixel(height), -dy * self._unit_per_pixel(height))

    def zoomed(
        self, factor: float, cursor: tuple[float, float] = (0.0, 0.0), height: float = 1.0
    ) -> OrbitCamera:
        """Distance times ``factor``; the point of the pivot's plane under ``cursor`` (pixels from
        the viewport's centre, x right, y down) stays under it."""
        distance = min(max(self.distance * factor, MIN_DISTANCE), MAX_DISTANCE)
        stays = (1 - distance / self.distance) * self._unit_per_pixel(height)
        moved = self._shifted(cursor[0] * stays, cursor[1] * stays)
        return replace(moved, distance=distance)

    def framed(self, radius: float = 1.0) -> OrbitCamera:
        """Looking at the scene's centre from the same side, with a ball of ``radius`` in view."""
        return replace(
            self, pivot=(0.0, 0.0, 0.0), distance=radius / math.sin(self.fov_y / 2), roll=0.0
        )

    def looking_through(self, scene_from_camera: np.ndarray, fov_y: float) -> OrbitCamera:
        """The pose of a photo, [4, 4]. The pivot becomes the point of its axis that is nearest to
        the scene's centre."""
        pose = np.asarray(scene_from_camera, float).reshape(4, 4)
        distance = max(float(-pose[:3, 3] @ pose[:3, 2]), 0.1)
        return replace(self, fov_y=fov_y)._posed(pose, distance)

    def carried(self, similarity: np.ndarray, up: tuple[float, float, float]) -> OrbitCamera:
        """The same picture of a scene that was moved by ``similarity`` [4, 4]. Where ``up`` is
        another one than it would then be, the picture is set upright."""
        turned = carried_pose(similarity, self.scene_from_camera)
        distance = self.distance * similarity_scale(similarity)
        same = similarity[:3, :3] @ self.up @ up > (1 - 1e-9) * similarity_scale(similarity)
        camera = replace(self, up=up)._posed(turned, distance)
        return camera if same else replace(camera, roll=0.0)

    def _posed(self, pose: np.ndarray, distance: float) -> OrbitCamera:
        """With this ``pose`` [4, 4] and the pivot at ``distance``."""
        eye, forward = pose[:3, 3], pose[:3, 2]
        pivot = eye + distance * forward
        local = _turntable_axes(self.up).T @ -forward
        elevation = math.asin(min(max(local[2], -1.0), 1.0))
        upright = replace(
            self, pivot=(float(pivot[0]), float(pivot[1]), float(pivot[2])), distance=distance,
            azimuth=math.atan2(local[1], local[0]), elevation=elevation, roll=0.0,
        )
        base = upright.scene_from_camera
        roll = math.atan2(float(base[:3, 1] @ pose[:3, 0]), float(base[:3, 0] @ pose[:3, 0]))
        return replace(upright, roll=roll)

    def _unit_per_pixel(self, height: float) -> float:
        return 2 * self.distance * math.tan(self.fov_y / 2) / height

    def _shifted(self, right: float, down: float) -> OrbitCamera:
        pose = self.scene_from_camera
        pivot = np.asarray(self.pivot) + right * pose[:3, 0] + down * pose[:3, 1]
        return replace(self, pivot=(float(pivot[0]), float(pivot[1]), float(pivot[2])))
