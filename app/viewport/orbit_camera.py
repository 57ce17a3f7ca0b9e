"""A turntable camera around a pivot, in the unit-ball frame. Pure.

Azimuth and elevation are angles of the direction from the pivot to the eye, measured in the upright
frame, whose third axis is up; poses are scene_from_camera [4, 4] with OpenCV axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.geometry.rigid import similarity_scale, transform_pose

MAX_ELEVATION = math.radians(90.0)
MIN_DISTANCE, MAX_DISTANCE = 0.02, 20.0
PARALLEL_FROM = 20.0
"""Scene units from the pivot to the plane where the rays of an orthographic view begin: in front
of all that can be seen."""
SIDES = {
    "front": (-90.0, 0.0),
    "back": (90.0, 0.0),
    "right": (0.0, 0.0),
    "left": (180.0, 0.0),
    "top": (-90.0, 90.0),
    "bottom": (-90.0, -90.0),
}
"""Azimuth and elevation of standard views, degrees. From the front, +X is right; from the top,
+Y is up."""
SCENE_AXES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class OrbitCamera:
    """A camera that looks at a pivot."""

    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Scene frame."""
    azimuth: float = math.radians(-60.0)
    """Radians."""
    elevation: float = math.radians(25.0)
    """Radians."""
    distance: float = 3.0
    """From the pivot to the eye, scene units."""
    fov_y: float = math.radians(45.0)
    """Vertical field of view, radians."""
    axes: tuple[float, ...] = SCENE_AXES
    """Row-major [3, 3]; its columns are the axes of the upright frame in the scene frame."""
    roll: float = 0.0
    """Radians about the view axis. Only a photo has a roll; orbiting removes it."""
    parallel: bool = False
    """Whether the view is orthographic; it then shows the pivot's plane as a perspective one
    does."""

    @cached_property
    def scene_from_camera(self) -> np.ndarray:
        """[4, 4], rigid, float64, read-only."""
        ce, se = math.cos(self.elevation), math.sin(self.elevation)
        ca, sa = math.cos(self.azimuth), math.sin(self.azimuth)
        axes = self._axes
        outward = axes @ (ce * ca, ce * sa, se)
        right = axes @ (-sa, ca, 0.0)
        down = np.cross(-outward, right)
        cr, sr = math.cos(self.roll), math.sin(self.roll)
        pose = np.eye(4)
        pose[:3, 0] = cr * right + sr * down
        pose[:3, 1] = -sr * right + cr * down
        pose[:3, 2] = -outward
        away = PARALLEL_FROM if self.parallel else self.distance
        pose[:3, 3] = np.asarray(self.pivot) + away * outward
        pose.flags.writeable = False
        return pose

    @property
    def up(self) -> np.ndarray:
        """[3], unit, scene frame."""
        return self._axes[:, 2]

    @property
    def span(self) -> float | None:
        """Height of an orthographic view, scene units; None in perspective."""
        return self._height_at(self.distance) if self.parallel else None

    def orbited(self, azimuth: float, elevation: float) -> OrbitCamera:
        """Return the camera turned about the pivot, radians; it stops at the poles."""
        limited = min(max(self.elevation + elevation, -MAX_ELEVATION), MAX_ELEVATION)
        return replace(
            self,
            azimuth=math.remainder(self.azimuth + azimuth, math.tau),
            elevation=limited,
            roll=0.0,
        )

    def panned(
        self, dx: float, dy: float, height: float, depth: float | None = None
    ) -> OrbitCamera:
        """Return the camera moved along with a drag of the mouse.

        Args:
            dx: Pixels to the right.
            dy: Pixels down.
            height: Of the viewport, pixels.
            depth: Scene units from the camera's plane to what follows the mouse; None: pivot.
        """
        at = self.distance if depth is None or self.parallel else depth
        per_pixel = self._height_at(at) / height
        return self.moved(-dx * per_pixel, -dy * per_pixel, 0.0)

    def zoomed(self, factor: float, about: np.ndarray | None = None) -> OrbitCamera:
        """Return the camera at another distance.

        Args:
            factor: Of the distance.
            about: [3], scene frame: a point that keeps its place; None for the pivot.
        """
        distance = min(max(self.distance * factor, MIN_DISTANCE), MAX_DISTANCE)
        pivot = np.asarray(self.pivot)
        center = pivot if about is None else np.asarray(about, float)
        pivot = center + distance / self.distance * (pivot - center)
        return replace(self, pivot=_to_tuple(pivot), distance=distance)

    def moved(self, right: float, down: float, forward: float) -> OrbitCamera:
        """Return the camera moved along its own axes, scene units."""
        shift = self.scene_from_camera[:3, :3] @ (right, down, forward)
        return replace(self, pivot=_to_tuple(np.asarray(self.pivot) + shift))

    def pivoted(self, point: np.ndarray) -> OrbitCamera:
        """Return the camera with another pivot, which comes to the middle of the picture.

        Args:
            point: [3], scene frame. What is seen there keeps its size.
        """
        pose = self.scene_from_camera
        depth = float((point - pose[:3, 3]) @ pose[:3, 2])
        distance = self.distance if self.parallel else max(depth, MIN_DISTANCE)
        return replace(self, pivot=_to_tuple(np.asarray(point, float)), distance=distance)

    def framed(self, radius: float = 1.0) -> OrbitCamera:
        """Return the camera looking at the scene's centre, with a ball of ``radius`` in view."""
        return replace(
            self, pivot=(0.0, 0.0, 0.0), distance=radius / math.sin(self.fov_y / 2), roll=0.0
        )

    def from_side(self, side: str) -> OrbitCamera:
        """Return the camera looking at the pivot from one of `SIDES`."""
        azimuth, elevation = (math.radians(angle) for angle in SIDES[side])
        return replace(self, azimuth=azimuth, elevation=elevation, roll=0.0)

    def looking_through(self, scene_from_camera: np.ndarray, fov_y: float) -> OrbitCamera:
        """Return the camera at the pose of a photo.

        The pivot becomes the point of its axis that is nearest to the scene's centre.

        Args:
            scene_from_camera: [4, 4].
            fov_y: Vertical field of view, radians.
        """
        pose = np.asarray(scene_from_camera, float).reshape(4, 4)
        distance = max(float(-pose[:3, 3] @ pose[:3, 2]), 0.1)
        pivot = _to_tuple(pose[:3, 3] + distance * pose[:3, 2])
        through = replace(self, fov_y=fov_y, parallel=False, pivot=pivot, distance=distance)
        return through._with_rotation(pose[:3, :3])

    def transformed(self, similarity: np.ndarray, axes: tuple[float, ...]) -> OrbitCamera:
        """Return the camera that sees the same of a scene that was moved.

        Args:
            similarity: [4, 4], by which the scene was moved.
            axes: Of the new upright frame. If it has another up, the picture is set upright.
        """
        scale = similarity_scale(similarity)
        turned = transform_pose(similarity, self.scene_from_camera)
        pivot = similarity[:3, :3] @ self.pivot + similarity[:3, 3]
        camera = replace(self, pivot=_to_tuple(pivot), distance=self.distance * scale, axes=axes)
        same = similarity[:3, :3] @ self.up @ camera.up > (1 - 1e-9) * scale
        camera = camera._with_rotation(turned[:3, :3])
        return camera if same else replace(camera, roll=0.0)

    def _with_rotation(self, rotation: np.ndarray) -> OrbitCamera:
        """Return the camera turned about the pivot to ``rotation`` [3, 3]."""
        local = self._axes.T @ -rotation[:, 2]
        elevation = math.asin(min(max(local[2], -1.0), 1.0))
        azimuth = math.atan2(local[1], local[0])
        upright = replace(self, azimuth=azimuth, elevation=elevation, roll=0.0)
        base = upright.scene_from_camera
        roll = math.atan2(float(base[:3, 1] @ rotation[:, 0]), float(base[:3, 0] @ rotation[:, 0]))
        return replace(upright, roll=roll)

    @property
    def _axes(self) -> np.ndarray:
        return np.reshape(self.axes, (3, 3))

    def _height_at(self, depth: float) -> float:
        """Return the height of the picture at a depth, both in scene units."""
        return 2 * depth * math.tan(self.fov_y / 2)


def _to_tuple(v: np.ndarray) -> tuple[float, float, float]:
    return float(v[0]), float(v[1]), float(v[2])
