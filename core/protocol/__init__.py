"""Every fact that passes between the window and the worker.

Commands go one way, events the other, as msgpack (never pickle) over a pipe. A message whose
``key`` is not None is replaced by a newer one of the same key while it waits: only the newest
camera, progress or statistics matter. Preview pixels travel in shared memory (`pixel_ring`);
`PreviewReady` only says which slot holds them.

Not here: what commands do (`core.session`) and how events change the window (`app.state`); types
that the science shares with the window, as `core.geometry.view.View`, live in its rooms.
Tests: ``tests/core/protocol``.
"""

from __future__ import annotations

import msgspec

from core.protocol.base import Message
from core.protocol.commands import (
    Action,
    Cancel,
    Close,
    Command,
    Continue,
    DiscardTraining,
    EditScene,
    EstimateExport,
    ExcludePhotos,
    Export,
    Open,
    Pause,
    Pick,
    Redo,
    Resume,
    Save,
    SetCameraPath,
    SetRunOptions,
    SetView,
    Shutdown,
    Start,
    Undo,
    WarmStart,
    WriteVideo,
)
from core.protocol.events import (
    Arrangement,
    Event,
    ExcludedPhotos,
    Exported,
    ExportEstimate,
    Failure,
    InputDetected,
    MeshReady,
    MethodWords,
    Notice,
    Opened,
    Phase,
    PhotoReady,
    PhotoReport,
    PhotoScored,
    Picked,
    PoseReport,
    PosesSoFar,
    PreviewReady,
    RunOptionsChanged,
    Saved,
    State,
    StateChanged,
    TaskProgress,
    Thumbnails,
    TrainingStats,
    VideoWritten,
)

__all__ = [
    "Action",
    "Arrangement",
    "Cancel",
    "Close",
    "Command",
    "Continue",
    "DiscardTraining",
    "EditScene",
    "EstimateExport",
    "Event",
    "ExcludePhotos",
    "ExcludedPhotos",
    "Export",
    "ExportEstimate",
    "Exported",
    "Failure",
    "InputDetected",
    "MeshReady",
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
    "PoseReport",
    "PosesSoFar",
    "PreviewReady",
    "Redo",
    "Resume",
    "RunOptionsChanged",
    "Save",
    "Saved",
    "SetCameraPath",
    "SetRunOptions",
    "SetView",
    "Shutdown",
    "Start",
    "State",
    "StateChanged",
    "TaskProgress",
    "Thumbnails",
    "TrainingStats",
    "Undo",
    "VideoWritten",
    "WarmStart",
    "WriteVideo",
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
