"""Opens a photo file of any kind; HEIC and RAW need optional parts."""

# pyright: reportUnknownVariableType=false
# pillow_heif is partly typed.

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, UnidentifiedImageError

from core.base.errors import UserError
from core.base.text import Text, plural, text

HEIC = (".heic", ".heif")
RAW = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2")
_QUARTER_TURNS = (5, 6)
"""LibRaw's values of ``flip`` for photos that are stored turned by 90 degrees."""

# Large panoramas are photos too; the guard against decompression bombs would refuse them.
Image.MAX_IMAGE_PIXELS = 1_000_000_000


class PhotoFault(NamedTuple):
    """Why a photo cannot be used."""

    name: Text
    """of the kind of fault, such as "blurred"; empty where it needs no advice"""
    reason: Text
    """follows the photo's name, such as "is damaged or cut short\""""
    remedy: Text
    """an imperative without a full stop; may be a `plural` of the number ``n`` of photos"""


_COPY_AGAIN = plural("Copy it again, or remove it", "Copy them again, or remove them", n=1)
DAMAGED = PhotoFault(text("damaged"), text("is damaged or cut short"), _COPY_AGAIN)
_UNREADABLE = PhotoFault(text("not a readable image"), text("is not a readable image"), _COPY_AGAIN)


class PhotoError(UserError):
    """The photo at ``path`` cannot be used because of ``fault``."""

    def __init__(self, path: Path, fault: PhotoFault) -> None:
        what = text("{path} {fault}", path=path, fault=fault.reason)
        super().__init__(what, fault.remedy)
        self.fault = fault


def open_image(path: Path) -> Image.Image:
    """Open the photo at ``path``; pixels are read when needed, but RAW is developed at once.

    Raises:
        UserError: it is not a readable image, or needs an optional part.
    """
    try:
        if path.suffix.lower() in HEIC:
            _register_heic(path)
        return _develop(path) if path.suffix.lower() in RAW else Image.open(path)
    except FileNotFoundError as error:
        raise UserError(
            text("{path} does not exist", path=path), text("Check the path.")
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise PhotoError(path, _UNREADABLE) from error


def raw_size(path: Path, upright: bool) -> tuple[int, int]:
    """Return (width, height) of a RAW photo, as stored or ``upright``, without developing it.

    Raises:
        UserError: it is not a readable image, or needs an optional part.
    """
    with _open_raw(path) as raw:
        sizes = raw.sizes
    turned = upright and sizes.flip in _QUARTER_TURNS
    return (sizes.iheight, sizes.iwidth) if turned else (sizes.iwidth, sizes.iheight)


def raw_preview(path: Path) -> bytes:
    """Return the JPEG file embedded in the RAW photo at ``path``.

    Raises:
        UserError: it is not a readable image, or needs an optional part.
        ValueError: it has no preview.
    """
    with _open_raw(path) as raw:
        import rawpy  # installed, since the photo is open

        try:
            preview = raw.extract_thumb()
        except rawpy.LibRawError as error:
            raise ValueError(f"{path} has no preview") from error
        if preview.format != rawpy.ThumbFormat.JPEG:
            raise ValueError(f"{path} has no preview that is a JPEG file")
        return preview.data


def _register_heic(path: Path) -> None:
    """Let Pillow open HEIC photos from now on."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise missing_extra(path) from error
    register_heif_opener()


def _develop(path: Path) -> Image.Image:
    """Develop a RAW photo, upright, by the camera's white balance.

    Its brightness is not adjusted: automatic exposure would make the photos differ.
    """
    with _open_raw(path) as raw:
        return Image.fromarray(raw.postprocess(use_camera_wb=True, no_auto_bright=True))


@contextmanager
def _open_raw(path: Path) -> Generator[Any]:
    try:
        import rawpy
    except ImportError as error:
        raise missing_extra(path) from error
    if not path.exists():
        raise UserError(text("{path} does not exist", path=path), text("Check the path."))
    try:
        with rawpy.imread(str(path)) as raw:
            yield raw
    except rawpy.LibRawError as error:
        raise PhotoError(path, _UNREADABLE) from error


def _extra_of(path: Path) -> tuple[str, str]:
    """Return the optional part that reading ``path`` needs, and the module that it brings."""
    suffix = path.suffix.lower()
    if suffix in HEIC:
        return "heic", "pillow_heif"
    return ("raw", "rawpy") if suffix in RAW else ("", "")


def lacks_extra(path: Path) -> bool:
    """Return whether reading ``path`` needs an optional part that is not installed."""
    _, module = _extra_of(path)
    return bool(module) and find_spec(module) is None


def missing_extra(path: Path) -> PhotoError:
    """Return the error that names the optional part that reading ``path`` needs."""
    extra, _ = _extra_of(path)
    return PhotoError(
        path,
        PhotoFault(
            text("{kind} photos", kind=extra.upper()),
            text("is a {kind} photo, and reading those needs an optional part", kind=extra.upper()),
            text("Run pip install 'gradina[{extra}]', or convert the photos to JPEG", extra=extra),
        ),
    )
