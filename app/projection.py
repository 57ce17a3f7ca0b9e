"""Where points of the scene are in the viewport, and cameras and sparse points as drawings."""

from __future__ import annotations

import math

import numpy as np

from app import theme
from app.gui import dpg
from app.orbit_camera import OrbitCamera

MAX_CAMERAS = 150
FRUSTUM_LENGTH = 0.12
NEAR = 0.02
DOT = 2
"""Pixels across a sparse point."""
# Strokes through all eight edges of a frustum: 0 is the eye, 1–4 the corners.
_STROKES = ((1, 2, 3, 4, 1), (1, 0, 3), (2, 0, 4))


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


def frusta(cameras: np.ndarray, fov_y: float, aspect: float) -> np.ndarray:
    """[N, 5, 3] scene frame: eye and corners of the frusta of at most `MAX_CAMERAS` of the
    ``cameras`` [M, 4, 4]."""
    poses = cameras[:: max(1, -(-len(cameras) // MAX_CAMERAS))]
    y = math.tan(fov_y / 2)
    x = y * aspect
    corners = np.array([[0, 0, 0], [-x, -y, 1], [x, -y, 1], [x, y, 1], [-x, y, 1]])
    local = FRUSTUM_LENGTH * corners
    return np.einsum("nij,kj->nki", poses[:, :3, :3], local) + poses[:, None, :3, 3]


def draw_frusta(
    parent: str, corners: np.ndarray, camera: OrbitCamera, size: tuple[int, int]
) -> None:
    """Draw `frusta` [N, 5, 3] into the draw layer ``parent``."""
    pixels, before = project(corners, camera, size)
    for frustum in pixels[before.all(-1)]:
        for stroke in _STROKES:
            points = frustum[list(stroke)].tolist()
            dpg.draw_polyline(points, parent=parent, color=theme.TEXT_OFF)


def splat(points: np.ndarray, camera: OrbitCamera, size: tuple[int, int]) -> np.ndarray:
    """uint8 [H, W, 3]: ``points`` [P, 3] (scene frame) as dots, the nearer the brighter."""
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = theme.BACKGROUND[:3]
    pixels, depth = _projected(points, camera, size)
    column, row = np.floor(np.clip(pixels.T, -1, 1 << 20)).astype(int)
    shown = (depth > NEAR) & (column >= 0) & (column <= width - DOT) & (row >= 0) & (
        row <= height - DOT)
    order = np.flatnonzero(shown)
    order = order[np.argsort(-depth[order])]
    bright = np.clip(1.5 * camera.distance / (camera.distance + depth[order]), 0.25, 1)
    color = (bright[:, None] * theme.TEXT[:3]).astype(np.uint8)
    for i in range(DOT):
        for j in range(DOT):
            picture[row[order] + i, column[order] + j] = color
    return picture


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
