"""The up direction by the camera's own sensors: an iPhone's accelerometer, a DJI gimbal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from core.base.errors import UserError
from core.capture.exif import read_metadata
from core.capture.scene import Photo

_ORIENTATION, _MAKER_NOTE, _ACCELERATION = 0x0112, 0x927C, 0x0008
_LENS_MODEL = 0xA434
_APPLE = b"Apple iOS\x00"
_QUARTER_TURNS = {1: 0, 6: 1, 3: 2, 8: 3}  # clockwise, from the stored to the upright photo
_MAX_ACCELERATION_G = 0.15
"""Deviation of the measured length from g; above, the phone was moving."""
_MAX_DISAGREEMENT_DEG = 10.0
_MIN_PHOTOS = 3


def up_by_gravity(photos: Sequence[Photo]) -> np.ndarray | None:
    """Return the up direction in the input's frame, a unit vector [3].

    None where fewer than three photos record gravity, or these contradict each other (then the
    poses do not fit, or the files were rotated).
    """
    measured = [(p.world_from_camera[:3, :3], up_in_camera(p.path)) for p in photos]
    ups = np.array([turn @ up for turn, up in measured if up is not None])
    if len(ups) < _MIN_PHOTOS:
        return None
    middle = np.median(ups, axis=0)
    length = np.linalg.norm(middle)
    if length < 0.5:
        return None
    agree = ups @ middle / length > np.cos(np.radians(_MAX_DISAGREEMENT_DEG))
    if agree.mean() < 0.5:
        return None
    mean = ups[agree].mean(0)
    return mean / np.linalg.norm(mean)


def up_in_camera(path: Path) -> np.ndarray | None:
    """Return the up direction in the camera frame (OpenCV axes) of the upright photo at ``path``.

    It is a unit vector [3], or None where the metadata does not record it.
    """
    try:
        found = read_metadata(path)
    except UserError:
        return None
    stored = _by_apple(found.exif)
    turns = _QUARTER_TURNS.get(found.main.get(_ORIENTATION, 1))
    if stored is not None and turns is not None:
        for _ in range(turns):
            stored = np.array([-stored[1], stored[0], stored[2]])
        return stored
    return _by_dji(found.xmp)


def _by_apple(tags: dict[int, object]) -> np.ndarray | None:
    """Return the up direction in the photo as stored, by Apple's maker note.

    The note is a directory of tags whose offsets count from its own start.

    The vector is gravity in units of g along the phone's right, its top and out of its screen
    (Apple, Core Motion; the tag: ExifTool's tables). The sensor's own rows run, seen from behind,
    from the phone's top to its bottom.
    """
    note = tags.get(_MAKER_NOTE)
    if not isinstance(note, bytes) or not note.startswith(_APPLE):
        return None
    if "front" in str(tags.get(_LENS_MODEL, "")).lower():
        return None  # looks the other way
    directory = ImageFileDirectory_v2(b"MM\x00\x2a\x00\x00\x00\x00")
    stream = BytesIO(note)
    stream.seek(14)
    try:
        directory.load(stream)
        right, top, out = (float(v) for v in directory[_ACCELERATION])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OSError):
        return None
    up = np.array([top, right, out])
    length = np.linalg.norm(up)
    return up / length if abs(length - 1) < _MAX_ACCELERATION_G else None


def _by_dji(xmp: bytes) -> np.ndarray | None:
    """Return it by the pitch (up is positive) and roll (clockwise) of a drone's gimbal."""
    found = [
        re.search(rb'Gimbal%sDegree(?:="|>)([-+0-9.]+)' % name, xmp) for name in (b"Pitch", b"Roll")
    ]
    try:
        pitch, roll = (np.radians(float(m.group(1))) for m in found if m is not None)
    except ValueError:
        return None
    across = np.cos(pitch)
    return np.array([-np.sin(roll) * across, -np.cos(roll) * across, np.sin(pitch)])
