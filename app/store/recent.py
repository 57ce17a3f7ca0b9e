"""What was opened lately, for the start page."""

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
    """``what`` lies there, in a few words; ``opened``: seconds since 1970."""

    path: str
    description: str
    opened_at: float

    @property
    def name(self) -> str:
        return Path(self.path).name or self.path


def make_recent(opened: Opened, saved_to: str, now: float) -> Recent:
    """What to remember of a scene that was opened, or ``saved_to`` a folder."""
    n = opened.n_photos
    if saved_to or opened.project:
        return Recent(saved_to or opened.path, tr("start.project", n), now)
    if opened.sentence:
        return Recent(opened.path, tr("start.prompt", prompt=opened.sentence), now)
    unsaved = opened.path == opened.autosave
    what = tr("start.unsaved", n) if unsaved else tr("start.capture", n, kind=localize(opened.kind))
    return Recent(opened.path, what, now)


def add_recent(recents: tuple[Recent, ...], newest: Recent) -> tuple[Recent, ...]:
    """``newest`` first, each path once, not more than are worth remembering."""
    return (newest, *(r for r in recents if r.path != newest.path))[:MAX_RECENTS]


def load_recents() -> tuple[Recent, ...]:
    """Newest first, without what is no longer there."""
    found = read_json(recent_file(), tuple[Recent, ...]) or ()
    return tuple(recent for recent in found if Path(recent.path).exists())


def save_recents(recents: tuple[Recent, ...]) -> None:
    write_json(recent_file(), recents)


def describe_recent(recent: Recent, now: float) -> str:
    """ "project, 36 photos  ·  12 MB  ·  yesterday"."""
    parts = [recent.description, format_day(recent.opened_at, now)]
    checkpoint = Path(recent.path) / "checkpoint.safetensors"
    if checkpoint.is_file():
        parts.insert(1, format_bytes(checkpoint.stat().st_size))
    return "  ·  ".join(parts)


def format_day(then: float, now: float) -> str:
    """ "14:05" of today, "yesterday", or the date."""
    ago = _midnight(now) - _midnight(then)
    if ago <= 0:
        return time.strftime(tr("dates.today"), time.localtime(then))
    if round(ago / _DAY) == 1:
        return tr("dates.yesterday")
    return time.strftime(tr("dates.day"), time.localtime(then)).lstrip("0")


def _midnight(at: float) -> float:
    t = time.localtime(at)
    return time.mktime((t.tm_year, t.tm_mon, t.tm_mday, 0, 0, 0, 0, 0, -1))
