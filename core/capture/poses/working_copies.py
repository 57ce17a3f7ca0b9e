"""The photos as the pose solver sees them: upright copies of moderate size, and how they look.

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
from core.base.text import Text, text
from core.capture.exif import camera_of, focal_px
from core.capture.photo_file import PhotoError
from core.capture.photos import photo_names, photo_size, read_photo

_THUMB, _LOOKED_AT = 32, 320
"""Pixels of the pictures by which photos are compared, and by which their sharpness is told."""
_VERSION = 1
"""Of the working copies and of the details found in them."""
_SAME = 0.006
"""Mean difference of two thumbnails, of the full range, below which they are one picture."""


@dataclass(frozen=True)
class PhotoStatistics:
    """``thumb`` [32, 32] grey in [0, 1]; ``brightness`` its mean, ``contrast`` its deviation;
    ``sharpness``: how strong fine detail is beside that."""

    thumb: np.ndarray
    brightness: float
    contrast: float
    sharpness: float


@dataclass(frozen=True)
class WorkingCopy:
    """A photo as pycolmap sees it: ``name`` is the original's, ``copy`` the file's in the
    workspace, by its content; ``size`` that of the upright original; ``focal`` in pixels of the
    copy, or None; ``camera``: what EXIF tells of camera and lens."""

    name: str
    copy: str
    size: tuple[int, int]
    copy_size: tuple[int, int]
    focal: float | None
    camera: tuple[str, ...]
    look: PhotoStatistics

    @property
    def exif_view(self) -> float | None:
        """Degrees along the longer side by EXIF."""
        if self.focal is None:
            return None
        return float(np.degrees(2 * np.arctan(max(self.copy_size) / 2 / self.focal)))


def copy_photos(
    paths: list[Path], folder: Path, max_side: int, tell: Callable[[int], None]
) -> tuple[list[WorkingCopy], dict[str, Text]]:
    """Upright copies in ``folder`` of the photos that can be used, and why the others cannot, by
    name: damaged ones, and those that show what another one shows already. ``tell``: before
    each."""
    folder.mkdir(parents=True, exist_ok=True)
    copies: list[WorkingCopy] = []
    refused: dict[str, Text] = {}
    for i, (path, name) in enumerate(zip(paths, photo_names(paths))):
        tell(i)
        try:
            size = photo_size(path)
            ratio = min(1.0, max_side / max(size))
            copy_size = (max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio)))
            pixels = read_photo(path, copy_size)
            focal, camera = focal_px(path), camera_of(path)
        except UserError as error:
            refused[name] = error.fault if isinstance(error, PhotoError) else error.what
            continue
        look = photo_statistics(pixels)
        same = next((c for c in copies if c.size == size and _same(c.look, look)), None)
        if same is not None:
            refused[name] = text("the same picture as {name}", name=same.name)
            continue
        copy = f"{_digest(path, max_side)}.jpg"
        if not (folder / copy).exists():
            part = folder / f"{copy}.part"  # a copy that is cut short must not pass for one
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
                look,
            )
        )
    for old in {p.name for p in folder.iterdir()} - {c.copy for c in copies}:
        (folder / old).unlink()
    return copies, refused


def _digest(path: Path, max_side: int) -> str:
    """Of all that a working copy depends on."""
    digest = hashlib.sha256(path.read_bytes())
    digest.update(f"{max_side} {_VERSION}".encode())
    return digest.hexdigest()[:20]


def photo_statistics(pixels: np.ndarray) -> PhotoStatistics:
    """Of a photo uint8 [H, W, 3 or 4]."""
    grey = Image.fromarray(pixels[..., :3]).convert("L")
    thumb = np.asarray(grey.resize((_THUMB, _THUMB), Image.Resampling.BOX), np.float32) / 255
    ratio = min(1.0, _LOOKED_AT / max(grey.size))
    small = grey.resize(
        (max(3, round(grey.width * ratio)), max(3, round(grey.height * ratio))),
        Image.Resampling.BOX,
    )
    g = np.asarray(small, np.float32) / 255
    laplacian = 4 * g[1:-1, 1:-1] - g[:-2, 1:-1] - g[2:, 1:-1] - g[1:-1, :-2] - g[1:-1, 2:]
    sharpness = float(np.sqrt(np.square(laplacian).mean()) / max(float(g.std()), 0.01))
    return PhotoStatistics(thumb, float(thumb.mean()), float(thumb.std()), sharpness)


def _same(a: PhotoStatistics, b: PhotoStatistics) -> bool:
    return float(np.abs(a.thumb - b.thumb).mean()) < _SAME * min(1.0, 10 * a.contrast)
