"""Small things that the window remembers, as JSON files that may be lost without harm."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")
_log = logging.getLogger("gradina.window")


def read_json(path: Path, kind: type[T]) -> T | None:
    """What `write` left at ``path``; None where that is nothing, or cannot be read as ``kind``."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None


def write_json(path: Path, value: object) -> None:
    """Leave ``value`` at ``path``, whole or not at all; never waits for the disk. What cannot be
    written is only logged."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1))
        temporary.replace(path)
    except OSError as error:
        _log.warning("%s cannot be written: %s", path, error)
