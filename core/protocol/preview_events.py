"""Events about what is displayed: previews, the live mesh, photos and thumbnails."""

from __future__ import annotations

from typing import ClassVar

from core.geometry.view import MeshPreviewOptions
from core.protocol.base import Message


class PreviewReady(Message, frozen=True):
    """A preview was rendered; its pixels are in the `pixel_ring.PreviewRing`."""

    key: ClassVar[str | None] = "preview"
    view_id: int
    """id of the view that was rendered"""
    slot: int
    """slot of the ring that holds the pixels"""
    sequence: int
    """sequence number under which the slot was written"""
    width: int
    """width of the image, pixels"""
    height: int
    """height of the image, pixels"""
    final: bool
    """whether no finer image of this view will follow"""
    render_ms: float
    """rendering time, milliseconds"""
    has_distances: bool = False
    """whether the slot also holds the distances along the rays"""


class MeshReady(Message, frozen=True):
    """The live mesh was extracted and written to a file, which the reader removes.

    The file holds, little endian and in the scene frame: V vertices float32 [V, 3]; their normals
    uint8 [V, 4], each component n as (n + 1) · 127.5; their colors uint8 [V, 4]; faces uint32
    [F, 3]. The fourth component of normals and colors is unused.
    """

    key: ClassVar[str | None] = "mesh"
    path: str
    """the file"""
    n_vertices: int
    """number V of vertices"""
    n_faces: int
    """number F of faces"""
    options: MeshPreviewOptions
    """options with which it was extracted"""
    levels: int | None
    """hash levels of the field, as in `View`"""
    step: int
    """training step of the field"""
    finished: bool
    """whether it was repaired and simplified as an export is"""


class PhotoReady(Message, frozen=True):
    """The photo behind a view was undistorted into it; its pixels are in the ring."""

    key: ClassVar[str | None] = "photo"
    name: str
    """name of the photo"""
    view_id: int
    """id of the view, which has the photo's pose"""
    slot: int
    """slot of the ring that holds the pixels"""
    sequence: int
    """sequence number under which the slot was written"""
    width: int
    """width of the image, pixels"""
    height: int
    """height of the image, pixels"""


class Thumbnails(Message, frozen=True):
    """Thumbnails of consecutive photos."""

    first: int
    """index in `Opened.names` of the first photo"""
    images: tuple[bytes, ...]
    """a JPEG of each photo; empty where the photo cannot be read"""


class PhotoScored(Message, frozen=True):
    """The PSNR of the rendering of one photo was measured."""

    name: str
    """name of the photo"""
    psnr: float
    """PSNR, dB"""
    step: int
    """training step of the field"""
