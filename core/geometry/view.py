"""Views, slices and camera paths, shared by the renderer, the window and saved projects."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.base.colormaps import BACKDROP, Gradient
from core.config.mesh import DENSITY_AT_LEVEL, Unseen

Point = tuple[float, float, float]
Matrix = tuple[float, ...]
"""[4, 4] as 16 numbers, row-major."""
IDENTITY: Matrix = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)

PreviewMode = Literal[
    "color", "normals", "depth", "mesh", "wireframe", "slice", "error", "level", "clay"
]
"""What a preview shows. "mesh" and "wireframe": the mesh of an export, which the window draws; the
worker renders the others. "slice": the signed distance on a plane; "error": the difference from the
photo of this camera, and colours elsewhere; "level": the hash level that changes the normal most;
"clay": the uncoloured shape, lit from behind the camera."""
RenderMode = Literal["color", "clay", "normals", "depth"]
"""The preview modes that an image or a video in a file can show."""
MESH_MODES = frozenset({"mesh", "wireframe"})

PREVIEW_DUTY_CYCLE = 0.15
"""Fraction of the time that previews may take from training."""


class SlicePlane(msgspec.Struct, frozen=True):
    """The plane normal · x = offset of a slice, scene frame."""

    normal: Point = (0.0, 0.0, 1.0)
    """unit"""
    offset: float = 0.0
    """scene units"""
    spacing: float = 0.05
    """distance between contours of the signed distance, scene units"""


class MeshPreviewOptions(msgspec.Struct, frozen=True):
    """Options of the mesh that the preview shows while the camera rests."""

    cells: int = 256
    """along the longest side of the region"""
    faces: int | None = None
    """number of faces after simplification; None: no simplification"""
    density: float = DENSITY_AT_LEVEL
    """density at which a method without an SDF is extracted, as in `MeshOptions`"""
    watertight: bool = False
    unseen: Unseen = "parts"


class View(msgspec.Struct, frozen=True):
    """A camera of the preview, and what it shows."""

    view_id: int
    """increases with each change; previews return it"""
    scene_from_camera: Matrix
    """unit-ball frame, OpenCV axes"""
    fov_y: float
    """radians"""
    width: int
    """pixels of the viewport"""
    height: int
    mode: PreviewMode = "color"
    levels: int | None = None
    """number of hash levels used; None: all active ones"""
    moving: bool = False
    """whether the camera is moving, so that speed matters more than resolution"""
    duty_cycle: float = PREVIEW_DUTY_CYCLE
    """fraction of the time that previews may take from training while the camera rests"""
    plane: SlicePlane = SlicePlane()
    """of a slice"""
    photo: str = ""
    """name of the photo whose camera this is; "" for any other view"""
    span: float | None = None
    """height of an orthographic view, scene units; None: a perspective view"""
    mesh: MeshPreviewOptions = MeshPreviewOptions()
    backdrop: Gradient = BACKDROP
    """colours where the view shows nothing"""


class CameraPath(msgspec.Struct, frozen=True):
    """The path of a video's camera, smooth through ``views``."""

    views: tuple[Matrix, ...] = ()
    """poses, as in `View`"""
    fov_y: float = 0.8
    """radians"""
    seconds: float = 6.0
    rate: int = 30
    """frames per second"""
    closed: bool = False
    """whether the path returns to the first view"""


EMPTY_PATH = CameraPath()


class VideoOptions(msgspec.Struct, frozen=True):
    """A video along a smooth path through views, or an image of one view."""

    views: tuple[Matrix, ...]
    """poses, as in `View`"""
    fov_y: float
    """radians"""
    width: int
    """pixels"""
    height: int
    n_frames: int = 1
    rate: int = 30
    """frames per second"""
    closed: bool = False
    """whether the path returns to the first view"""
    mode: PreviewMode = "color"
    """color, clay, normals or depth"""
    levels: int | None = None
    """number of hash levels used; None: all active ones"""
