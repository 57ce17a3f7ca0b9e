"""Opens a photo file of any kind; HEIC and RAW need optional parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from core.base.errors import UserError
from core.base.text import Text, text

HEIC = (".heic", ".heif")
RAW = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2")
_QUARTER_TURNS = (5, 6)  # as LibRaw counts them

# Large panoramas are photos too; the guard against decompression bombs would refuse them.
Image.MAX_IMAGE_PIXELS = 1_000_000_000


class PhotoError(UserError):
    """The photo at ``path`` cannot be used."""

    def __init__(self, path: Path, fault: Text, remedy: Text) -> None:
        super().__init__(text("{path} {fault}", path=path, fault=fault), remedy)
        self.fault = fault
        """what is said after the photo's name"""


def open_image(path: Path) -> Image.Image:
    """The photo at ``path``, its pixels read when they are asked for, but a RAW one developed at
    once. Raises UserError where it is not a readable image or needs an optional part."""
    try:
        if path.suffix.lower() in HEIC:
            _with_heic(path)
        return _developed(path) if path.suffix.lower() in RAW else Image.open(path)
    except FileNotFoundError as error:
        raise UserError(
            text("{path} does not exist", path=path), text("Check the path.")
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise _unreadable(path) from error


def raw_size(path: Path, upright: bool) -> tuple[int, int]:
    """(width, height) of the RAW photo at ``path``, as it is stored or ``upright``, without
    developing it. Raises UserError."""
    with _raw(path) as raw:
        sizes = raw.sizes
    turned = upright and sizes.flip in _QUARTER_TURNS
    return (sizes.iheight, sizes.iwidth) if turned else (sizes.iwidth, sizes.iheight)


def raw_preview(path: Path) -> bytes:
    """The JPEG file that the RAW photo at ``path`` carries of itself. Raises UserError, ValueError
    where it carries none."""
    with _raw(path) as raw:
        import rawpy  # which is there, as the photo is open

        try:
            preview = raw.extract_thumb()
        except rawpy.LibRawError as error:
            raise ValueError(f"{path} carries no preview") from error
        if preview.format != rawpy.ThumbFormat.JPEG:
            raise ValueError(f"{path} carries no preview that is a file")
        return preview.data


def _with_heic(path: Path) -> None:
    """Pillow opens HEIC photos from now on."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise needs_extra(path) from error
    register_heif_opener()


def _developed(path: Path) -> Image.Image:
    """A RAW photo, upright, by the camera's white balance, and no brighter than it was exposed:
    each by its own measure would make the photos differ."""
    with _raw(path) as raw:
        return Image.fromarray(raw.postprocess(use_camera_wb=True, no_auto_bright=True))


@contextmanager
def _raw(path: Path) -> Iterator[Any]:
    """The opened RAW file, of which nothing is developed yet. Raises UserError."""
    try:
        import rawpy
    except ImportError as error:
        raise needs_extra(path) from error
    if not path.exists():
        raise UserError(text("{path} does not exist", path=path), text("Check the path."))
    try:
        with rawpy.imread(str(path)) as raw:
            yield raw
    except rawpy.LibRawError as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> UserError:
    return PhotoError(path, text("is not a readable image"), text("Copy it again, or remove it."))


def _extra(path: Path) -> tuple[str, str]:
    """The optional part that reading ``path`` needs, and the module that it brings."""
    suffix = path.suffix.lower()
    return (
        ("heic", "pillow_heif")
        if suffix in HEIC
        else ("raw", "rawpy")
        if suffix in RAW
        else ("", "")
    )


def lacks_extra(path: Path) -> bool:
    """Whether reading ``path`` needs an optional part that is not installed."""
    _, module = _extra(path)
    return bool(module) and find_spec(module) is None


def needs_extra(path: Path) -> UserError:
    """Names the optional part that reading ``path`` needs, and how to get it."""
    extra, _ = _extra(path)
    return PhotoError(
        path,
        text("is a {kind} photo, and reading those needs an optional part", kind=extra.upper()),
        text("Run pip install 'gradina[{extra}]', or convert the photos to JPEG.", extra=extra),
    )
