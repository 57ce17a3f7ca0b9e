"""The base class of commands and events."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Message(msgspec.Struct, frozen=True, tag=True):
    """A command or an event."""

    key: ClassVar[str | None] = None
    """a newer message of the same key replaces an older one that still waits; None: none does"""
    action: ClassVar[str | None] = None
    """the action that the session's state has to allow for this command; None: always obeyed"""
