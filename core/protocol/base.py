"""What commands and events share."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Message(msgspec.Struct, frozen=True, tag=True):
    """One of the same ``key``, unless that is None, replaces an older one that still waits."""

    key: ClassVar[str | None] = None
    action: ClassVar[str | None] = None
    """of a command that not every state allows"""
