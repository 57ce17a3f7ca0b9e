"""The report of solved poses, as ``report.json`` in the workspace holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec

from core.base.text import NO_TEXT, Text


class PhotoRecord(msgspec.Struct, frozen=True):
    """What became of one photo."""

    name: str
    used: bool
    reason: Text = NO_TEXT
    """why it is not used"""
    details: int = 0
    """number of features"""
    error_px: float | None = None
    """mean reprojection error, pixels of the working copy"""
    links: dict[str, int] = {}
    """number of verified matches with the photos that share most, by name"""
    sharpness: float | None = None
    """over that of the median photo"""
    stops: float | None = None
    """how much brighter than the median photo, in exposure values"""


class AttemptRecord(msgspec.Struct, frozen=True):
    """One attempt to solve the poses."""

    text: Text
    """a sentence for people"""
    tried: str
    """what was changed; "" for the first attempt"""
    kept: bool
    photos_placed: int
    groups: list[int]
    """number of photos of each model"""
    seconds: float
    pairs_compared: int
    reprojection_error_px: float | None


class PoseReportFile(msgspec.Struct, frozen=True):
    """The whole report, about one group of photos."""

    photos_in: int
    photos_used: int
    points: int
    reprojection_error_px: float
    meeting_angle_deg: float
    """median triangulation angle"""
    working_size_px: int
    """longer side of the working copies"""
    quality: str
    group: int
    """index into ``groups`` of the one that is used"""
    photos: list[PhotoRecord]
    groups: list[list[str]]
    """names of the photos of each model"""
    unused: dict[str, Text]
    """by name why a photo is not used"""
    advice: list[Text]
    """what to do about it, the most important first"""
    attempts: list[AttemptRecord]
    seconds: dict[str, float]
    """by phase"""
    fingerprint: str = ""
    """of the photos and options that were solved for"""


def read_report(file: Path) -> PoseReportFile | None:
    """Read the report in ``file``; None where there is none that can be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=PoseReportFile)
    except (OSError, msgspec.DecodeError):
        return None


def in_english(value: Any) -> Any:
    """Convert a report, or a part of it, to what JSON can hold, its texts to English."""
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, msgspec.Struct):
        return {name: in_english(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: in_english(item) for key, item in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [in_english(item) for item in cast(list[Any], value)]
    return value
