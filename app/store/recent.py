"""Recent scenes, for the start page."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from app.store.json_file import read_json, write_json
from app.text.catalog import localize, tr
from app.text.status import format_bytes
from core.base.paths import recent_file
from core.protocol import Opened

MAX_RECENTS = 12
_DAY = 86400


class Recent(msgspec.Struct, frozen=True):
    """A scene that was opened."""

    path: str
    """Absolute."""
    description: str
    """Kind and number of photos."""
    opened_at: float
    """Seconds since 1970."""

    @property
    def name(self) -> str:
        """Last part of the path."""
        return Path(self.path).name or self.path


def make_recent(opened: Opened, saved_to: str, now: float) -> Recent:
    """Return what to remember of a scene.

    Args:
        opened: The scene.
        saved_to: Folder that it was saved to just now; "" if it was not.
        now: Seconds since 1970.
    """
    n = opened.n_photos
    if saved_to or opened.project:
        return Recent(saved_to or opened.path, tr("start.project", n), now)
    if opened.prompt:
        return Recent(opened.path, tr("start.prompt", prompt=opened.prompt), now)
    unsaved = opened.path == opened.autosave
    what = tr("start.unsaved", n) if unsaved else tr("start.capture", n, kind=localize(opened.kind))
    return Recent(opened.path, what, now)


def add_recent(recents: tuple[Recent, ...], newest: Recent) -> tuple[Recent, ...]:
    """Return ``recents`` with ``newest`` first, each path once, up to `MAX_RECENTS`."""
    return (newest, *(r for r in recents if r.path != newest.path))[:MAX_RECENTS]


def load_recents() -> tuple[Recent, ...]:
    """Return recent scenes that still exist, newest first."""
    found = read_json(recent_file(), tuple[Recent, ...]) or ()
    return tuple(recent for recent in found if Path(recent.path).exists())


def save_recents(recents: tuple[Recent, ...]) -> None:
    """Write ``recents``, newest first."""
    write_json(recent_file(), recents)


def describe_recent(recent: Recent, now: float) -> str:
    """Return kind, size and day, such as "project, 36 photos  ·  12 MB  ·  yesterday"."""
    parts = [recent.description, format_day(recent.opened_at, now)]
    checkpoint = Path(recent.path) / "checkpoint.safetensors"
    if checkpoint.is_file():
        parts.insert(1, format_bytes(checkpoint.stat().st_size))
    return "  ·  ".join(parts)


def format_day(then: float, now: float) -> str:
    """Return the time of ``then`` if that is today, "yesterday", or the date."""
    ago = _midnight(now) - _midnight(then)
    if ago <= 0:
        return time.strftime(tr("dates.today"), time.localtime(then))
    if round(ago / _DAY) == 1:
        return tr("dates.yesterday")
    return time.strftime(tr("dates.day"), time.localtime(then)).lstrip("0")


def _midnight(at: float) -> float:
    t = time.localtime(at)
    return time.mktime((t.tm_year, t.tm_mon, t.tm_mday, 0, 0, 0, 0, 0, -1))
