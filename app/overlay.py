"""Before there is a surface: the photos' cameras and the region, as lines in the viewport."""

from __future__ import annotations

import math

import numpy as np

from app import theme
from app.gui import dpg
from app.orbit_camera import OrbitCamera
from core.messages import Opened

MAX_CAMERAS = 150
FRUSTUM_LENGTH = 0.12
NEAR = 0.02
# Strokes through all eight edges of a frustum: 0 is the eye, 1–4 the corners.
_STROKES = ((1, 2, 3, 4, 1), (1, 0, 3), (2, 0, 4))


def project(
    points: np.ndarray, camera: OrbitCamera, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [..., 2] of ``points`` [..., 3] (scene frame) in a viewport of ``size`` (width,
    height), and which of them [...] lie before the camera."""
    pose = camera.scene_from_camera
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    depth = local[..., 2:]
    focal = 0.5 * size[1] / math.tan(camera.fov_y / 2)
    pixels = local[..., :2] * focal / np.maximum(depth, NEAR) + 0.5 * np.array(size)
    return pixels, depth[..., 0] > NEAR


def frusta(opened: Opened) -> np.ndarray:
    """[N, 5, 3] scene frame: eye and corners of at most `MAX_CAMERAS` photos' frusta."""
    poses = np.array(opened.cameras, float).reshape(-1, 4, 4)
    poses = poses[:: max(1, -(-len(poses) // MAX_CAMERAS))]
    y = math.tan(opened.fov_y / 2)
    x = y * opened.aspect
    corners = np.array([[0, 0, 0], [-x, -y, 1], [x, -y, 1], [x, y, 1], [-x, y, 1]])
    local = FRUSTUM_LENGTH * corners
    return np.einsum("nij,kj->nki", poses[:, :3, :3], local) + poses[:, None, :3, 3]


def draw_scene(
    parent: str, opened: Opened, camera: OrbitCamera, size: tuple[int, int]
) -> None:
    """Draw frusta and the equator of the unit ball into the drawlist ``parent``."""
    pixels, before = project(frusta(opened), camera, size)
    for frustum in pixels[before.all(-1)]:
        for stroke in _STROKES:
            points = frustum[list(stroke)].tolist()
            dpg.draw_polyline(points, parent=parent, color=theme.TEXT_OFF)
    angles = np.linspace(0, math.tau, 97)
    up = np.asarray(opened.up)
    side = np.cross(up, np.eye(3)[np.argmin(np.abs(up))])
    side /= np.linalg.norm(side)
    ring = np.outer(np.cos(angles), side) + np.outer(np.sin(angles), np.cross(up, side))
    pixels, before = project(ring, camera, size)
    for i in np.nonzero(before[:-1] & before[1:])[0]:
        dpg.draw_line(
            pixels[i].tolist(), pixels[i + 1].tolist(), parent=parent, color=theme.ACCENT_DARK
        )
