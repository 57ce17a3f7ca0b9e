"""Where points of the scene are in the viewport, and what is seen at its pixels."""

from __future__ import annotations

import math

import numpy as np

from app.viewport.orbit_camera import OrbitCamera

NEAR = 0.02


def project(
    points: np.ndarray, camera: OrbitCamera, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [..., 2] of ``points`` [..., 3] (scene frame) in a viewport of ``size`` (width,
    height), and which of them [...] lie before the camera."""
    pixels, depth = _projected(points, camera, size)
    return pixels, depth > NEAR


def ray(
    x: float, y: float, camera: OrbitCamera, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Origin and unit direction [3], scene frame, of what is seen at a pixel of the viewport."""
    pose = camera.scene_from_camera
    across = np.array([x - size[0] / 2, y - size[1] / 2]) / _focal(camera, size)
    if camera.parallel:
        return pose[:3, 3] + pose[:3, :2] @ across, pose[:3, 2]
    local = np.append(across, 1.0)
    return pose[:3, 3], pose[:3, :3] @ (local / np.linalg.norm(local))


def _focal(camera: OrbitCamera, size: tuple[int, int]) -> float:
    """Pixels by which what lies a unit aside is aside, at a depth of 1 or in a parallel view."""
    return size[1] / (camera.span or 2 * math.tan(camera.fov_y / 2))


def _projected(
    points: np.ndarray, camera: OrbitCamera, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [..., 2] and depths [...]."""
    pose = camera.scene_from_camera
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    depth = local[..., 2]
    near = np.ones_like(depth) if camera.parallel else np.maximum(depth, NEAR)
    pixels = local[..., :2] * _focal(camera, size) / near[..., None]
    return pixels + 0.5 * np.array(size), depth
