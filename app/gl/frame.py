"""One frame of the viewport: plain arrays, which nobody changes after they are handed over.

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
"""A line from ``a`` to ``b``; ``width`` in pixels."""
DOT = np.dtype([("at", "3f4"), ("color", "4u1"), ("width", "f4")])
"""A round dot, ``width`` pixels across."""
PHOTO = np.dtype([("center", "3f4"), ("right", "3f4"), ("down", "3f4")])
"""An image in space: its centre, and the vectors from there to its right and lower edge."""
Style = Literal["shaded", "wireframe", "colored"]
NEAR, FAR = 0.01, 60.0
"""Distances of the clip planes from the camera, scene units."""


@dataclass(frozen=True, eq=False)
class Picture:
    """An image that the worker rendered."""

    pixels: np.ndarray
    """uint8 [H, W, 3], sRGB."""
    distance: np.ndarray | None = None
    """float32 [H, W], scene units along each ray to the surface, infinite where there is none;
    None if unknown."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A triangle mesh, as announced by `MeshReady`."""

    vertices: np.ndarray
    """float32 [V, 3]."""
    normals: np.ndarray
    """uint8 [V, 4]: a component n of a unit normal as (n + 1) · 127.5; the last is unused."""
    colors: np.ndarray
    """uint8 [V, 4], sRGB; the last is unused."""
    faces: np.ndarray
    """uint32 [F, 3]."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Everything that is drawn in one frame."""

    size: tuple[int, int]
    """Width and height, pixels."""
    clip_from_scene: np.ndarray
    """[4, 4], see `clip_from_scene`."""
    eye: np.ndarray
    """[3], position of the camera."""
    tan_half_fov: tuple[float, float]
    """Tangents of half the field of view, horizontal and vertical; 0 if orthographic."""
    picture: Picture | None = None
    """Drawn behind everything else; None for a plain background."""
    surface: Surface | None = None
    """The mesh; None for none."""
    style: Style = "shaded"
    """How the mesh is shaded."""
    lines: np.ndarray | None = None
    """[N] `LINE`."""
    outlines: np.ndarray | None = None
    """[N] `LINE`, faintly visible through what hides them."""
    dots: np.ndarray | None = None
    """[N] `DOT`, the nearer the brighter."""
    markers: np.ndarray | None = None
    """[N] `DOT`, drawn over everything."""
    photos: np.ndarray | None = None
    """[N] `PHOTO`."""
    thumbnails: np.ndarray | None = None
    """uint8 [N, h, w, 3], shown on ``photos``."""
    fade_distance: float = 1.0
    """Scene units from the eye to the pivot; dots beyond it are darker."""
    pixel_scale: float = 1.0
    """Pixels of this frame for each pixel that widths are given in."""
    camera: OrbitCamera | None = None
    """The camera of the frame, to interpret its depths."""
    wants_depths: bool = False
    """Whether the depths of picture and mesh are read back."""
    background: Gradient = BACKDROP
    """Colours where there is nothing."""
    user_data: object = None
    """Returned with the frame once it is on screen."""


def camera_depth(camera: OrbitCamera, window_depth: float) -> float | None:
    """Convert a depth of OpenGL to the distance from the camera's plane.

    Args:
        camera: The camera of the frame.
        window_depth: In [0, 1], as OpenGL stores it.

    Returns:
        Scene units; None at the far end, where nothing is.
    """
    if window_depth >= 1 - 1e-6:
        return None
    clip = 2 * window_depth - 1
    if camera.parallel:
        return (clip + 1) * FAR / 2
    return 2 * FAR * NEAR / (FAR + NEAR - clip * (FAR - NEAR))


def clip_from_scene(camera: OrbitCamera, size: tuple[int, int]) -> np.ndarray:
    """Return the matrix to OpenGL's clip space with +Y down, so that rows are read back top first.

    Args:
        camera: The camera.
        size: Width and height of the viewport, pixels.

    Returns:
        [4, 4].
    """
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
    """Return the tangents of half the field of view, as in `Frame`."""
    if camera.parallel:
        return 0.0, 0.0
    tan = math.tan(camera.fov_y / 2)
    return tan * size[0] / size[1], tan
