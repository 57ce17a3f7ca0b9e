"""What is looked at, and how: views, slices and the paths of a camera. Shared by all that draws,
by the window, and by what is saved."""

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
"""What is shown of a scene. "mesh", "wireframe": what an export would give, which the window draws
itself; the worker draws all else. "slice": the signed distance on a plane; "error": how far the
rendering is from the photo looked through, the colours elsewhere; "level": which level of the hash
grid turns the normal most; "clay": its shape alone, lit from over the shoulder."""
RenderMode = Literal["color", "clay", "normals", "depth"]
"""The preview modes that an image or a video in a file can show."""
MESH_MODES = frozenset({"mesh", "wireframe"})

PREVIEW_DUTY_CYCLE = 0.15
"""Fraction of the time that previews may take from training, so that watching costs less than a
fifth of its time."""


class SlicePlane(msgspec.Struct, frozen=True):
    """The plane n · x = offset of a slice, scene frame."""

    normal: Point = (0.0, 0.0, 1.0)
    """n, unit"""
    offset: float = 0.0
    """scene units"""
    spacing: float = 0.05
    """between contours of the signed distance, scene units"""


class MeshPreviewOptions(msgspec.Struct, frozen=True):
    """How the mesh that is shown at rest is cut."""

    cells: int = 256
    """along the longest side of the region"""
    faces: int | None = None
    """that it is simplified to; None: as cut"""
    density: float = DENSITY_AT_LEVEL
    """of a method without a surface: where it is cut, as in `MeshOptions`"""
    watertight: bool = False
    unseen: Unseen = "parts"


class View(msgspec.Struct, frozen=True):
    """A camera of the preview, and what it shows."""

    view_id: int
    """grows with each change; previews carry it back"""
    scene_from_camera: Matrix
    """unit-ball frame, OpenCV axes"""
    fov_y: float
    """radians"""
    width: int
    """pixels of the viewport"""
    height: int
    mode: PreviewMode = "color"
    levels: int | None = None
    """hash levels shown; None: all that are active"""
    moving: bool = False
    """a drag is under way, so speed matters more than resolution"""
    duty_cycle: float = PREVIEW_DUTY_CYCLE
    """fraction of the time that pictures may take from training while the camera rests"""
    plane: SlicePlane = SlicePlane()
    """of a slice"""
    photo: str = ""
    """name of the photo whose camera this is; "" for any other view"""
    span: float | None = None
    """of a parallel view: scene units from its upper edge to its lower one; None: in perspective"""
    mesh: MeshPreviewOptions = MeshPreviewOptions()
    backdrop: Gradient = BACKDROP
    """what is seen where nothing is"""


class CameraPath(msgspec.Struct, frozen=True):
    """The path of a video's camera, smooth through ``views``."""

    views: tuple[Matrix, ...] = ()
    """poses, as in `View`"""
    fov_y: float = 0.8
    """radians"""
    seconds: float = 6.0
    rate: int = 30
    """pictures a second"""
    closed: bool = False
    """back to the first view"""


EMPTY_PATH = CameraPath()


class VideoOptions(msgspec.Struct, frozen=True):
    """A video along a smooth path through views, or a picture of one view."""

    views: tuple[Matrix, ...]
    """poses, as in `View`"""
    fov_y: float
    """radians"""
    width: int
    """pixels"""
    height: int
    n_frames: int = 1
    rate: int = 30
    """pictures a second"""
    closed: bool = False
    """back to the first view"""
    mode: PreviewMode = "color"
    """color, clay, normals or depth"""
    levels: int | None = None
    """hash levels shown; None: all that are active"""
