"""What was opened lately, for the start page."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from app.store.json_file import read, write
from app.text.catalog import say, words
from app.text.status import size
from core.base.paths import recent_file
from core.protocol import Opened

MOST = 12
_DAY = 86400


class Recent(msgspec.Struct, frozen=True):
    """``what`` lies there, in a few words; ``opened``: seconds since 1970."""

    path: str
    what: str
    opened: float

    @property
    def name(self) -> str:
        return Path(self.path).name or self.path


def recent_of(opened: Opened, saved_to: str, now: float) -> Recent:
    """What to remember of a scene that was opened, or ``saved_to`` a folder."""
    n = opened.n_photos
    if saved_to or opened.project:
        return Recent(saved_to or opened.path, say("start.project", n), now)
    if opened.sentence:
        return Recent(opened.path, say("start.sentence", sentence=opened.sentence), now)
    unsaved = opened.path == opened.autosave
    what = say("start.unsaved", n) if unsaved else say("start.capture", n, kind=words(opened.kind))
    return Recent(opened.path, what, now)


def with_newest(recents: tuple[Recent, ...], newest: Recent) -> tuple[Recent, ...]:
    """``newest`` first, each path once, not more than are worth remembering."""
    return (newest, *(r for r in recents if r.path != newest.path))[:MOST]


def load_recents() -> tuple[Recent, ...]:
    """Newest first, without what is no longer there."""
    found = read(recent_file(), tuple[Recent, ...]) or ()
    return tuple(recent for recent in found if Path(recent.path).exists())


def save_recents(recents: tuple[Recent, ...]) -> None:
    write(recent_file(), recents)


def describe(recent: Recent, now: float) -> str:
    """ "project, 36 photos  ·  12 MB  ·  yesterday"."""
    parts = [recent.what, day(recent.opened, now)]
    checkpoint = Path(recent.path) / "checkpoint.safetensors"
    if checkpoint.is_file():
        parts.insert(1, size(checkpoint.stat().st_size))
    return "  ·  ".join(parts)


def day(then: float, now: float) -> str:
    """ "14:05" of today, "yesterday", or the date."""
    ago = _midnight(now) - _midnight(then)
    if ago <= 0:
        return time.strftime(say("dates.today"), time.localtime(then))
    if round(ago / _DAY) == 1:
        return say("dates.yesterday")
    return time.strftime(say("dates.day"), time.localtime(then)).lstrip("0")


def _midnight(at: float) -> float:
    t = time.localtime(at)
    return time.mktime((t.tm_year, t.tm_mon, t.tm_mday, 0, 0, 0, 0, 0, -1))
