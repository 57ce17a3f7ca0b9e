"""Options of opening a capture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PoseQuality = Literal["fast", "normal", "best"]
"""How much effort structure from motion makes."""


@dataclass(frozen=True)
class OpenOptions:
    """How a capture is opened."""

    recursive: bool = False
    """whether plain photos may lie in subfolders too"""
    quality: PoseQuality = "normal"
    """effort of structure from motion, where poses have to be solved"""
    group: int = 0
    """which model to use, where the photos form several or fall into groups; 0 is the largest"""
    frames: int = 100
    """largest number of frames that are taken from a video"""
    photos: str = ""
    """the folder that the photos of a saved project are in now, where they were moved"""


DEFAULT_OPEN = OpenOptions()
