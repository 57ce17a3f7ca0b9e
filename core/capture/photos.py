"""Photo files: listing them, and their upright pixels."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from core.base.errors import UserError
from core.base.outputs import MARKER, without_outputs
from core.base.text import plural, text
from core.capture.photo_file import (
    DAMAGED,
    HEIC,
    RAW,
    PhotoError,
    lacks_extra,
    missing_extra,
    open_image,
    raw_size,
)
from core.capture.scene import Intrinsics, Photo

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", *HEIC, *RAW)
MINIMUM_PHOTOS = 3
_SUBFOLDERS = ("images", "input", "photos")
MASK_FOLDERS = ("masks", "mask")
_MAX_NAMES = 5
"""Names listed in a text, at most."""

_ORIENTATION = 0x0112
_QUARTER_TURNS = (5, 6, 7, 8)
_ASPECT_TOLERANCE = 0.02


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sorting key under which ``IMG_9`` comes before ``IMG_10``."""
    parts = re.split(r"(\d+)", name.lower())
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts]


def is_photo(path: Path) -> bool:
    """Return whether ``path`` is a photo, by its name."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def list_photos(folder: Path, recursive: bool = False) -> list[Path]:
    """Return the photo files in ``folder``, in natural order.

    Where it has none itself, these are those of its subfolder ``images``, ``input`` or ``photos``;
    if ``recursive`` those of all its subfolders but of masks.

    Raises:
        UserError: the folder is missing, empty, without photos, or has fewer than three, or too few
            can be read without an optional part.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(text("{folder} is not a folder", folder=folder), text("Check the path."))
    entries = list(folder.iterdir())
    if not any(p.name != MARKER for p in entries):
        raise UserError(
            text("{folder} is empty", folder=folder),
            text("Put the photos of one object or place in it."),
        )
    below = [folder / name for name in _SUBFOLDERS if (folder / name).is_dir()]
    groups = [entries, *(list(b.iterdir()) for b in below)]
    if recursive:
        groups = [[p for p in folder.rglob("*") if p.parent.name.lower() not in MASK_FOLDERS]]
    found = ([p for p in group if is_photo(p)] for group in groups)
    photos = without_outputs(next(filter(None, found), list[Path]()), folder)
    if not photos:
        if not recursive and any(is_photo(p) for p in folder.rglob("*")):
            raise UserError(
                text("{folder} holds photos in its subfolders only", folder=folder),
                text("Choose one of them, or open it with its subfolders."),
            )
        kinds = ", ".join(s[1:] for s in SUFFIXES if s not in RAW) + ", RAW"
        raise UserError(
            text("{folder} holds no photos", folder=folder),
            text("Choose a folder with photos ({kinds}).", kinds=kinds),
        )
    require_enough(len(photos), folder)
    unreadable = [p for p in photos if lacks_extra(p)]
    if len(photos) - len(unreadable) < MINIMUM_PHOTOS:
        raise missing_extra(min(unreadable))
    return sorted(photos, key=lambda p: natural_key(str(p.relative_to(folder))))


def photo_names(photos: list[Path]) -> list[str]:
    """Return file names or, where two are equal, paths below the common folder."""
    names = [p.name for p in photos]
    if len(set(names)) == len(names):
        return names
    root = os.path.commonpath([p.parent for p in photos])
    return [p.relative_to(root).as_posix() for p in photos]


def abbreviate_names(names: Sequence[str]) -> str:
    """Return the first few of ``names``, for people."""
    return ", ".join(names[:_MAX_NAMES]) + (", …" if len(names) > _MAX_NAMES else "")


def require_enough(count: int, folder: Path) -> None:
    """Raise UserError where ``count`` photos are too few to reconstruct a surface."""
    if count < MINIMUM_PHOTOS:
        raise UserError(
            plural(
                "{folder} has only {n} usable photo",
                "{folder} has only {n} usable photos",
                n=count,
                folder=folder,
            ),
            text(
                "At least {minimum} are needed; 30 or more from all around are better.",
                minimum=MINIMUM_PHOTOS,
            ),
        )


def photo_size(path: Path, upright: bool = True) -> tuple[int, int]:
    """Return (width, height) from the header alone, by EXIF orientation if ``upright``.

    Raises:
        UserError: the file is not a readable image.
    """
    if path.suffix.lower() in RAW:
        return raw_size(path, upright)
    with open_image(path) as image:
        turned = upright and image.getexif().get(_ORIENTATION, 1) in _QUARTER_TURNS
        return (image.height, image.width) if turned else image.size


def read_photo(
    path: Path, size: tuple[int, int] | None = None, declared: tuple[int, int] | None = None
) -> np.ndarray:
    """Read the upright pixels of a photo.

    Args:
        path: of the file.
        size: resize to this (width, height) with an area filter.
        declared: (width, height) that the photo's camera was solved for; the EXIF orientation is
            ignored where only the photo as stored has that shape.

    Returns:
        uint8 [H, W, 3] or, where the file has transparency, [H, W, 4].

    Raises:
        UserError: the file is damaged or has another shape than the declared one.
    """
    with open_image(path) as image:
        declared = declared or photo_size(path)
        full = image.size
        if size is not None:
            image.draft(None, size)  # a JPEG is decoded at 1/2, 1/4 or 1/8 where that suffices
        try:
            image.load()
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise PhotoError(path, DAMAGED) from error
        turned = image.getexif().get(_ORIENTATION, 1) in _QUARTER_TURNS
        if turned and not _same_shape((full[1], full[0]), declared) and _same_shape(full, declared):
            turned = False
        else:
            image = ImageOps.exif_transpose(image)
        full = (full[1], full[0]) if turned else full
        if not _same_shape(full, declared):
            raise UserError(
                text(
                    "{path} is {width}x{height} pixels, its camera {camera_width}x{camera_height}",
                    path=path,
                    width=full[0],
                    height=full[1],
                    camera_width=declared[0],
                    camera_height=declared[1],
                ),
                text("Restore the photo that the camera was solved for."),
            )
        image = _eight_bit(image)
    if size is not None and image.size != size:
        image = _resized(image, size)
    return np.asarray(image)


def read_mask(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Read the opacity, uint8 [H, W], of a mask file resized to ``size`` (width, height)."""
    pixels = read_photo(path, size)
    return pixels[..., 3] if _has_opacity(pixels) else pixels[..., :3].max(-1)


def read_rgba(photo: Photo, lens: Intrinsics) -> np.ndarray:
    """Read a photo with opacity, that of its mask or alpha channel, 255 without either.

    Args:
        photo: the photo.
        lens: gives the size.

    Returns:
        uint8 [H, W, 4].

    Raises:
        UserError: a file is damaged or the photo's shape is not its camera's.
    """
    size = (lens.width, lens.height)
    pixels = read_photo(photo.path, size, (photo.intrinsics.width, photo.intrinsics.height))
    out = np.full((lens.height, lens.width, 4), 255, np.uint8)
    out[..., : pixels.shape[-1]] = pixels
    if photo.mask_path is not None:
        mask = read_mask(photo.mask_path, size)
        out[..., 3] = 255 - mask if photo.mask_inverted else mask
    return out


def has_transparency(path: Path) -> bool:
    """Return whether the photo has an alpha channel that hides something."""
    with open_image(path) as image:
        if "A" not in image.getbands() and "transparency" not in image.info:
            return False
    pixels = read_photo(path)
    return pixels.shape[-1] == 4 and bool((pixels[..., 3] < 255).any())


def _same_shape(size: tuple[int, int], declared: tuple[int, int]) -> bool:
    """Return whether two sizes have the same aspect ratio, but for rounding."""
    return abs(size[0] * declared[1] / (size[1] * declared[0]) - 1) < _ASPECT_TOLERANCE


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # 16-bit grey
        values = np.asarray(image, np.float64)
        scale = 255.0 / max(65535.0 if values.max() > 255 else 255.0, 1.0)
        return Image.fromarray((values * scale).astype(np.uint8)).convert("RGB")
    transparent = "A" in image.getbands() or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize with an area filter when shrinking.

    Colours are weighted by opacity so that none bleeds in from transparent pixels.
    """
    if image.mode != "RGBA":
        return image.resize(
            size, Image.Resampling.BOX if _shrinks(image, size) else Image.Resampling.BICUBIC
        )
    filter_ = Image.Resampling.BOX if _shrinks(image, size) else Image.Resampling.BILINEAR
    return image.convert("RGBa").resize(size, filter_).convert("RGBA")


def _shrinks(image: Image.Image, size: tuple[int, int]) -> bool:
    return size[0] <= image.width and size[1] <= image.height


def _has_opacity(pixels: np.ndarray) -> bool:
    return pixels.shape[-1] == 4 and bool((pixels[..., 3] < 255).any())
