"""EXIF and XMP metadata of photo files: lens and camera here, GPS and gravity elsewhere."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from core.capture.photo_file import RAW, open_image, raw_preview
from core.capture.photos import photo_size

_EXIF_IFD, _GPS_IFD, _XMP = 0x8769, 0x8825, 0x02BC
_FOCAL_35MM, _FOCAL_MM = 0xA405, 0x920A
_PLANE_X_RESOLUTION, _PLANE_UNIT, _EXIF_WIDTH, _EXIF_HEIGHT = 0xA20E, 0xA210, 0xA002, 0xA003
_MAKE, _MODEL, _SERIAL, _LENS = 0x010F, 0x0110, 0xA431, 0xA434
_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_TIFF = (b"II*\0", b"MM\0*")


class Metadata(NamedTuple):
    """EXIF's three directories, from tag numbers to values, and the XMP packet."""

    main: dict[int, Any]
    """IFD0: camera and orientation"""
    exif: dict[int, Any]
    """Exif IFD: lens and exposure"""
    gps: dict[int, Any]
    xmp: bytes


def read_metadata(path: Path) -> Metadata:
    """Read the metadata of a photo, empty where it has none; RAW photos are not developed.

    Raises:
        UserError: it cannot be opened or needs an optional part.
    """
    if path.suffix.lower() in RAW:
        return _read_raw(path)
    with open_image(path) as image:
        exif, xmp = image.getexif(), image.info.get("xmp", b"")
        return _from_exif(exif, xmp if isinstance(xmp, bytes) else str(xmp).encode())


def _read_raw(path: Path) -> Metadata:
    """Read the metadata of a RAW photo.

    Most kinds are TIFF files inside (DNG, CR2, NEF, ARW); the others have a preview, whose EXIF
    LibRaw completes.
    """
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
            return _from_exif(exif, xmp if isinstance(xmp, bytes) else bytes(xmp))
    except (OSError, SyntaxError, ValueError, TypeError):
        return Metadata({}, {}, {}, b"")


def _from_exif(exif: Image.Exif, xmp: bytes) -> Metadata:
    return Metadata(dict(exif), exif.get_ifd(_EXIF_IFD), exif.get_ifd(_GPS_IFD), xmp)


def focal_px(path: Path) -> float | None:
    """Return the focal length in pixels of a photo as stored now; None where EXIF has none.

    Taken from the 35 mm equivalent (along the diagonal, as the standard has it, CIPA DCG-001),
    else from the focal length and the pitch of the focal plane.
    """
    exif, (width, height) = read_metadata(path).exif, photo_size(path)
    try:
        equivalent = float(exif.get(_FOCAL_35MM, 0))
        if equivalent > 0:
            return equivalent * float(np.hypot(width, height)) / float(np.hypot(36.0, 24.0))
        focal, pitch = float(exif.get(_FOCAL_MM, 0)), float(exif.get(_PLANE_X_RESOLUTION, 0))
        unit = _MM_PER_UNIT.get(int(exif.get(_PLANE_UNIT, 2)))
        if focal > 0 and pitch > 0 and unit:
            original_side = max(int(exif.get(_EXIF_WIDTH, 0)), int(exif.get(_EXIF_HEIGHT, 0)))
            shrunk = max(width, height) / original_side if original_side else 1.0
            return focal / unit * pitch * shrunk
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return None


def camera_of(path: Path) -> tuple[str, ...]:
    """Return make, model, serial number, lens model and focal length by EXIF, "" where missing.

    Photos where these differ were taken through different optics.
    """
    found = read_metadata(path)
    values = [found.main.get(tag) for tag in (_MAKE, _MODEL)]
    values += [found.exif.get(tag) for tag in (_SERIAL, _LENS, _FOCAL_MM)]
    return tuple("" if value is None else str(value).strip(" \0") for value in values)
