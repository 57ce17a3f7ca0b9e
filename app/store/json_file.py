"""Small JSON files that the window remembers things in; losing them is harmless."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")
_log = logging.getLogger("gradina.window")


def read_json(path: Path, kind: type[T]) -> T | None:
    """Return what `write_json` left at ``path``; None if that cannot be read as ``kind``."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None


def write_json(path: Path, value: object) -> None:
    """Write ``value`` to ``path``, whole or not at all.

    It is not synced to the disk. A failure is only logged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1))
        temporary.replace(path)
    except OSError as error:
        _log.warning("%s cannot be written: %s", path, error)
