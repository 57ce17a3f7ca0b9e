"""The photos as the pose solver sees them: upright copies of moderate size, and statistics.

Part of the solving process (`process`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.base.errors import UserError
from core.base.text import NO_TEXT, text
from core.capture.exif import camera_of, focal_px
from core.capture.photo_file import PhotoError, PhotoFault
from core.capture.photos import photo_names, photo_size, read_photo

_THUMBNAIL_SIDE, _SHARPNESS_SIDE = 32, 320
"""Pixels of the images by which duplicates are found, and sharpness is measured."""
_VERSION = 1
"""Of the working copies and of the features found in them."""
_MAX_DUPLICATE_DIFFERENCE = 0.006
"""Mean difference of two thumbnails in [0, 1] below which they are the same image."""


@dataclass(frozen=True)
class PhotoStatistics:
    """What an image looks like."""

    thumbnail: np.ndarray
    """[32, 32] grey in [0, 1]"""
    brightness: float
    """mean of the thumbnail"""
    contrast: float
    """standard deviation of the thumbnail"""
    sharpness: float
    """root mean square of the Laplacian over the standard deviation"""


@dataclass(frozen=True)
class WorkingCopy:
    """A photo as pycolmap sees it."""

    name: str
    """of the original"""
    copy: str
    """the file's name in the workspace, by its content"""
    size: tuple[int, int]
    """(width, height) of the upright original"""
    copy_size: tuple[int, int]
    """(width, height) of the copy"""
    focal: float | None
    """by EXIF, in pixels of the copy"""
    camera: tuple[str, ...]
    """what EXIF tells about camera and lens"""
    statistics: PhotoStatistics

    @property
    def exif_view(self) -> float | None:
        """Angle of view along the longer side by EXIF, in degrees."""
        if self.focal is None:
            return None
        return float(np.degrees(2 * np.arctan(max(self.copy_size) / 2 / self.focal)))


def copy_photos(
    paths: list[Path], folder: Path, max_side: int, on_photo: Callable[[int], None]
) -> tuple[list[WorkingCopy], dict[str, PhotoFault]]:
    """Make upright copies of the photos that can be used.

    Args:
        paths: the photos.
        folder: receives the copies; other files in it are removed.
        max_side: longer side of the copies at most, pixels.
        on_photo: called with the index of each photo before it is read.

    Returns:
        The copies, and by name why the other photos are refused: they are damaged or duplicates.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copies: list[WorkingCopy] = []
    refused: dict[str, PhotoFault] = {}
    for i, (path, name) in enumerate(zip(paths, photo_names(paths))):
        on_photo(i)
        try:
            size = photo_size(path)
            ratio = min(1.0, max_side / max(size))
            copy_size = (max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio)))
            pixels = read_photo(path, copy_size)
            focal, camera = focal_px(path), camera_of(path)
        except PhotoError as error:
            refused[name] = error.fault
            continue
        except UserError as error:
            refused[name] = PhotoFault(NO_TEXT, error.what, NO_TEXT)
            continue
        statistics = photo_statistics(pixels)
        original = next(
            (c for c in copies if c.size == size and _same(c.statistics, statistics)), None
        )
        if original is not None:
            reason = text("the same image as {name}", name=original.name)
            refused[name] = PhotoFault(NO_TEXT, reason, NO_TEXT)
            continue
        copy = f"{_digest(path, max_side)}.jpg"
        if not (folder / copy).exists():
            part = folder / f"{copy}.part"  # an incomplete copy must not pass for a complete one
            Image.fromarray(pixels[..., :3]).save(part, "JPEG", quality=97, subsampling=0)
            part.rename(folder / copy)
        copies.append(
            WorkingCopy(
                name,
                copy,
                size,
                copy_size,
                round(focal * ratio, 1) if focal else None,
                camera,
                statistics,
            )
        )
    for old in {p.name for p in folder.iterdir()} - {c.copy for c in copies}:
        (folder / old).unlink()
    return copies, refused


def _digest(path: Path, max_side: int) -> str:
    """Return a digest of all that a working copy depends on."""
    digest = hashlib.sha256(path.read_bytes())
    digest.update(f"{max_side} {_VERSION}".encode())
    return digest.hexdigest()[:20]


def photo_statistics(pixels: np.ndarray) -> PhotoStatistics:
    """Return the statistics of an image, uint8 [H, W, 3 or 4]."""
    grey = Image.fromarray(pixels[..., :3]).convert("L")
    thumbnail_size = (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE)
    thumbnail = np.asarray(grey.resize(thumbnail_size, Image.Resampling.BOX), np.float32) / 255
    ratio = min(1.0, _SHARPNESS_SIDE / max(grey.size))
    small = grey.resize(
        (max(3, round(grey.width * ratio)), max(3, round(grey.height * ratio))),
        Image.Resampling.BOX,
    )
    g = np.asarray(small, np.float32) / 255
    laplacian = 4 * g[1:-1, 1:-1] - g[:-2, 1:-1] - g[2:, 1:-1] - g[1:-1, :-2] - g[1:-1, 2:]
    sharpness = float(np.sqrt(np.square(laplacian).mean()) / max(float(g.std()), 0.01))
    return PhotoStatistics(thumbnail, float(thumbnail.mean()), float(thumbnail.std()), sharpness)


def _same(a: PhotoStatistics, b: PhotoStatistics) -> bool:
    difference = float(np.abs(a.thumbnail - b.thumbnail).mean())
    return difference < _MAX_DUPLICATE_DIFFERENCE * min(1.0, 10 * a.contrast)
