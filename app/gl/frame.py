"""What is to be drawn in one frame: plain arrays, which nobody changes after they are handed over.

Everything is in the scene frame; colours are sRGB uint8. An array that is the same object as in the
frame before is not uploaded again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.viewport.orbit_camera import OrbitCamera
from core.base.colormaps import BACKDROP, Gradient

LINE = np.dtype([("a", "3f4"), ("b", "3f4"), ("color", "4u1"), ("width", "f4")])
"""From ``a`` to ``b``; ``width`` in pixels."""
DOT = np.dtype([("at", "3f4"), ("color", "4u1"), ("width", "f4")])
"""Round, ``width`` pixels across."""
PHOTO = np.dtype([("center", "3f4"), ("right", "3f4"), ("down", "3f4")])
"""A picture in space: its middle, and the ways from there to its right and its lower edge."""
Style = Literal["shaded", "wireframe", "colored"]
NEAR, FAR = 0.01, 60.0
"""Scene units before the camera's plane between which things are drawn."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What the worker drew: ``pixels`` uint8 [H, W, 3], and the ``distance`` float32 [H, W] along
    each ray to what is seen, infinite where nothing is; None where that is not known."""

    pixels: np.ndarray
    distance: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Surface:
    """A triangle mesh as in `MeshReady`: ``vertices`` float32 [V, 3]; unit ``normals`` uint8
    [V, 4], a component n as (n + 1) · 127.5; ``colors`` uint8 [V, 4]; ``faces`` uint32 [F, 3]."""

    vertices: np.ndarray
    normals: np.ndarray
    colors: np.ndarray
    faces: np.ndarray


@dataclass(frozen=True, eq=False)
class Frame:
    """``size`` pixels, (width, height), of what is drawn. ``lines`` and ``outlines`` of dtype
    `LINE`; the latter are faintly seen through what hides them. ``dots`` (dtype `DOT`) stand among
    all the rest, the nearer the brighter, ``marks`` in front of it. ``thumbnails`` uint8
    [N, h, w, 3] are shown on ``photos`` [N] (dtype `PHOTO`). ``dot_scale``: pixels of this frame
    in one of those that widths are given in."""

    size: tuple[int, int]
    clip_from_scene: np.ndarray
    eye: np.ndarray
    tan_half_fov: tuple[float, float]
    """Half the width and height of the picture at a depth of 1; in a parallel view 0"""
    picture: Picture | None = None
    surface: Surface | None = None
    style: Style = "shaded"
    lines: np.ndarray | None = None
    outlines: np.ndarray | None = None
    dots: np.ndarray | None = None
    markers: np.ndarray | None = None
    photos: np.ndarray | None = None
    thumbnails: np.ndarray | None = None
    fade_distance: float = 1.0
    """Scene units from the eye to the pivot, by which the brightness of dots falls off"""
    pixel_scale: float = 1.0
    camera: OrbitCamera | None = None
    wants_depths: bool = False
    """Whether the depths of picture and mesh are wanted too"""
    background: Gradient = BACKDROP
    """What is seen where nothing is"""
    user_data: object = None
    """Whatever is to be known again when this frame is on screen"""


def camera_depth(camera: OrbitCamera, window_depth: float) -> float | None:
    """Scene units before the camera's plane, of a depth in [0, 1] as OpenGL stores it; None at the
    far end, where nothing is."""
    if window_depth >= 1 - 1e-6:
        return None
    clip = 2 * window_depth - 1
    if camera.parallel:
        return (clip + 1) * FAR / 2
    return 2 * FAR * NEAR / (FAR + NEAR - clip * (FAR - NEAR))


def clip_from_scene(camera: OrbitCamera, size: tuple[int, int]) -> np.ndarray:
    """[4, 4] to OpenGL's clip space with +Y down, so that the first row of what is read back is the
    uppermost."""
    width, height = size
    scale = 2 / (camera.span or 2 * math.tan(camera.fov_y / 2))
    clip = np.zeros((4, 4))
    clip[0, 0], clip[1, 1] = scale * height / width, scale
    if camera.parallel:
        clip[2, 2], clip[2, 3], clip[3, 3] = 2 / FAR, -1, 1
    else:
        clip[2, 2] = (FAR + NEAR) / (FAR - NEAR)
        clip[2, 3] = -2 * FAR * NEAR / (FAR - NEAR)
        clip[3, 2] = 1
    pose = camera.scene_from_camera
    camera_from_scene = np.eye(4)
    camera_from_scene[:3, :3] = pose[:3, :3].T
    camera_from_scene[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return clip @ camera_from_scene


def tan_half_fov(camera: OrbitCamera, size: tuple[int, int]) -> tuple[float, float]:
    """As in `Frame`."""
    if camera.parallel:
        return 0.0, 0.0
    tan = math.tan(camera.fov_y / 2)
    return tan * size[0] / size[1], tan
