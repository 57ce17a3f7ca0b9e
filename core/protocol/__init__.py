"""Every fact that passes between the window and the worker.

Commands go one way, events the other, as msgpack (never pickle) over a pipe. A message whose
``key`` is not None is replaced by a newer one of the same key while it waits: only the newest
camera, progress or statistics matter. Preview pixels travel in shared memory (`preview_ring`);
`PreviewReady` only says which slot holds them.
"""

from __future__ import annotations

import msgspec

from core.protocol.base import Message, Point
from core.protocol.commands import (
    MESH_MODES,
    NO_WAY,
    PREVIEW_SHARE,
    Arrange,
    AskSize,
    Cancel,
    Choose,
    Close,
    Command,
    Continue,
    Exclude,
    Export,
    Film,
    Ground,
    Length,
    MeshLook,
    Open,
    Pause,
    Pick,
    Plane,
    PlanFilm,
    PreviewMode,
    Redo,
    Region,
    Renew,
    Reset,
    Save,
    SetView,
    Shutdown,
    Start,
    Turn,
    Undo,
    Way,
)
from core.protocol.events import (
    STILL,
    Arranged,
    Chosen,
    Event,
    Excluded,
    Exported,
    Failure,
    Filmed,
    MeshReady,
    MeshSize,
    MethodWords,
    Notice,
    Opened,
    Phase,
    PhotoReady,
    PhotoReport,
    PhotoScored,
    Picked,
    PoseReport,
    PreviewReady,
    Recognised,
    Saved,
    Solving,
    State,
    StateChanged,
    TaskProgress,
    Thumbnails,
    TrainingStats,
)

__all__ = [
    "MESH_MODES",
    "NO_WAY",
    "PREVIEW_SHARE",
    "STILL",
    "Arrange",
    "Arranged",
    "AskSize",
    "Cancel",
    "Choose",
    "Chosen",
    "Close",
    "Command",
    "Continue",
    "Event",
    "Exclude",
    "Excluded",
    "Export",
    "Exported",
    "Failure",
    "Film",
    "Filmed",
    "Ground",
    "Length",
    "MeshLook",
    "MeshReady",
    "MeshSize",
    "Message",
    "MethodWords",
    "Notice",
    "Open",
    "Opened",
    "Pause",
    "Phase",
    "PhotoReady",
    "PhotoReport",
    "PhotoScored",
    "Pick",
    "Picked",
    "PlanFilm",
    "Plane",
    "Point",
    "PoseReport",
    "PreviewMode",
    "PreviewReady",
    "Recognised",
    "Redo",
    "Region",
    "Renew",
    "Reset",
    "Save",
    "Saved",
    "SetView",
    "Shutdown",
    "Solving",
    "Start",
    "State",
    "StateChanged",
    "TaskProgress",
    "Thumbnails",
    "TrainingStats",
    "Turn",
    "Undo",
    "Way",
    "coalesce",
    "decode_command",
    "decode_event",
    "encode",
]

_encoder = msgspec.msgpack.Encoder()
_command_decoder = msgspec.msgpack.Decoder(Command)
_event_decoder = msgspec.msgpack.Decoder(Event)


def encode(message: Message) -> bytes:
    return _encoder.encode(message)


def decode_command(data: bytes) -> Command:
    return _command_decoder.decode(data)


def decode_event(data: bytes) -> Event:
    return _event_decoder.decode(data)


def coalesce(messages: list[Message]) -> list[Message]:
    """Drop every message that a later one of the same ``key`` replaces; order is kept."""
    newest = {m.key: i for i, m in enumerate(messages) if m.key is not None}
    return [m for i, m in enumerate(messages) if m.key is None or newest[m.key] == i]
