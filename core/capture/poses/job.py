"""What the solving process is told, and what it says: lines of JSON."""

from __future__ import annotations

import msgspec

from core.base.text import NO_TEXT, Text
from core.config.opening import PoseQuality


class Job(msgspec.Struct, frozen=True):
    """What to solve."""

    photos: list[str]
    """paths"""
    workspace: str
    """path of a folder"""
    seed: int
    quality: PoseQuality


class Snapshot(msgspec.Struct, frozen=True):
    """What is placed so far, in an arbitrary frame."""

    cameras: list[list[float]]
    """world_from_camera of each photo, 16 numbers row by row"""
    points: list[list[float]]
    """[x, y, z] of some points"""


class Message(msgspec.Struct, frozen=True):
    """Progress or, where ``solved`` or with an ``error``, the last message."""

    fraction: float = 0.0
    detail: Text = NO_TEXT
    found: Snapshot | None = None
    solved: bool = False
    error: tuple[Text, Text] | None = None
    """what and remedy of a UserError"""
