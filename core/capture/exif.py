"""What a photo file tells of how it was taken: its lens and camera here, place and gravity from it
elsewhere."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from core.capture.photo_file import RAW, open_image, raw_preview
from core.capture.photos import photo_size

_DETAILS_IFD, _GPS_IFD, _XMP = 0x8769, 0x8825, 0x02BC
_FOCAL_35MM, _FOCAL_MM = 0xA405, 0x920A
_PLANE_X_RESOLUTION, _PLANE_UNIT, _EXIF_WIDTH, _EXIF_HEIGHT = 0xA20E, 0xA210, 0xA002, 0xA003
_MAKE, _MODEL, _SERIAL, _LENS = 0x010F, 0x0110, 0xA431, 0xA434
_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_TIFF = (b"II*\0", b"MM\0*")


class Metadata(NamedTuple):
    """EXIF's three directories, each from a tag's number to its value, and the XMP packet."""

    main: dict[int, Any]
    details: dict[int, Any]
    gps: dict[int, Any]
    xmp: bytes


def metadata(path: Path) -> Metadata:
    """Of the photo at ``path``, empty where it tells nothing; of RAW photos too, which are not
    developed for it. Raises UserError where it cannot be opened or needs an optional part."""
    if path.suffix.lower() in RAW:
        return _of_raw(path)
    with open_image(path) as image:
        exif, xmp = image.getexif(), image.info.get("xmp", b"")
        return _told(exif, xmp if isinstance(xmp, bytes) else str(xmp).encode())


def _of_raw(path: Path) -> Metadata:
    """Most kinds are TIFF files inside (DNG, CR2, NEF, ARW); the others carry a preview, whose EXIF
    LibRaw completes."""
    exif = Image.Exif()
    try:
        with path.open("rb") as file:
            is_tiff = file.read(4) in _TIFF
            file.seek(0)
            if is_tiff:
                exif.load_from_fp(file)
            else:
                with Image.open(BytesIO(raw_preview(path))) as preview:
                    exif = preview.getexif()
            xmp = exif.get(_XMP, b"")
            return _told(exif, xmp if isinstance(xmp, bytes) else bytes(xmp))
    except (OSError, SyntaxError, ValueError, TypeError):
        return Metadata({}, {}, {}, b"")


def _told(exif: Image.Exif, xmp: bytes) -> Metadata:
    return Metadata(dict(exif), exif.get_ifd(_DETAILS_IFD), exif.get_ifd(_GPS_IFD), xmp)


def focal_px(path: Path) -> float | None:
    """Focal length in pixels of the photo as it is stored now, or None where EXIF does not say.

    Taken from the 35 mm equivalent (along the diagonal, as the standard has it, CIPA DCG-001),
    else from the focal length and the pitch of the focal plane.
    """
    told, (width, height) = metadata(path).details, photo_size(path)
    try:
        equivalent = float(told.get(_FOCAL_35MM, 0))
        if equivalent > 0:
            return equivalent * float(np.hypot(width, height)) / float(np.hypot(36.0, 24.0))
        focal, pitch = float(told.get(_FOCAL_MM, 0)), float(told.get(_PLANE_X_RESOLUTION, 0))
        unit = _MM_PER_UNIT.get(int(told.get(_PLANE_UNIT, 2)))
        if focal > 0 and pitch > 0 and unit:
            taken_at = max(int(told.get(_EXIF_WIDTH, 0)), int(told.get(_EXIF_HEIGHT, 0)))
            shrunk = max(width, height) / taken_at if taken_at else 1.0
            return focal / unit * pitch * shrunk
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return None


def camera_of(path: Path) -> tuple[str, ...]:
    """What EXIF tells of the camera, its lens and how far that was zoomed, "" for each thing that
    it does not: photos where this differs were taken through different optics."""
    known = metadata(path)
    told = [known.main.get(tag) for tag in (_MAKE, _MODEL)]
    told += [known.details.get(tag) for tag in (_SERIAL, _LENS, _FOCAL_MM)]
    return tuple("" if value is None else str(value).strip(" \0") for value in told)
