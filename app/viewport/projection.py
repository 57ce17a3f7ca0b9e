"""Projects points of the scene into the viewport, and pixels back to rays."""

from __future__ import annotations

import math

import numpy as np

from app.viewport.orbit_camera import OrbitCamera

NEAR = 0.02
"""Least depth of visible points, scene units."""


def project(
    points: np.ndarray, camera: OrbitCamera, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Project points into the viewport.

    Args:
        points: [..., 3], scene frame.
        camera: The camera.
        size: Width and height of the viewport, pixels.

    Returns:
        Pixels [..., 2], and which points [...] are in front of the camera.
    """
    pixels, depth = _projected(points, camera, size)
    return pixels, depth > NEAR


def ray(
    x: float, y: float, camera: OrbitCamera, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return origin [3] and unit direction [3], scene frame, of what is seen at a pixel."""
    pose = camera.scene_from_camera
    across = np.array([x - size[0] / 2, y - size[1] / 2]) / _focal(camera, size)
    if camera.parallel:
        return pose[:3, 3] + pose[:3, :2] @ across, pose[:3, 2]
    local = np.append(across, 1.0)
    return pose[:3, 3], pose[:3, :3] @ (local / np.linalg.norm(local))


def _focal(camera: OrbitCamera, size: tuple[int, int]) -> float:
    """Return the focal length in pixels, or pixels per scene unit if orthographic."""
    return size[1] / (camera.span or 2 * math.tan(camera.fov_y / 2))


def _projected(
    points: np.ndarray, camera: OrbitCamera, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels [..., 2] and depths [...]."""
    pose = camera.scene_from_camera
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    depth = local[..., 2]
    near = np.ones_like(depth) if camera.parallel else np.maximum(depth, NEAR)
    pixels = local[..., :2] * _focal(camera, size) / near[..., None]
    return pixels + 0.5 * np.array(size), depth
