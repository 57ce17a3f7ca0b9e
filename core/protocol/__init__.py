"""The messages between the window and the worker.

Commands go to the worker, events to the window, as msgpack (never pickle) over a pipe. A message
whose ``key`` is not None is replaced by a newer one of the same key while it waits: only the
newest camera, progress or statistics matter. Preview pixels travel in shared memory (`pixel_ring`);
`PreviewReady` only says which slot holds them.

Here: ``commands``; ``events``, of which ``scene_events`` and ``preview_events`` are parts; the
codec. Not here: what commands do (`core.session`), how events change the window (`app.state`), and
types that lower rooms share with the window, as `core.geometry.view.View`.
Tests: ``tests/core/protocol``.
"""

from __future__ import annotations

from typing import TypeVar

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
    Event,
    Exported,
    ExportEstimate,
    Failure,
    Notice,
    Phase,
    Saved,
    State,
    StateChanged,
    TaskName,
    TaskProgress,
    TrainingStats,
    VideoWritten,
)
from core.protocol.preview_events import (
    MeshReady,
    PhotoReady,
    PhotoScored,
    PreviewReady,
    Thumbnails,
)
from core.protocol.scene_events import (
    Arrangement,
    ExcludedPhotos,
    InputDetected,
    MethodInfo,
    Opened,
    PhotoReport,
    Picked,
    PoseReport,
    PosesSoFar,
    RunOptionsChanged,
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
    "MethodInfo",
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
    "TaskName",
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

M = TypeVar("M", bound=Message)

_encoder = msgspec.msgpack.Encoder()
_command_decoder = msgspec.msgpack.Decoder(Command)
_event_decoder = msgspec.msgpack.Decoder(Event)


def encode(message: Message) -> bytes:
    """Encode a command or an event as msgpack."""
    return _encoder.encode(message)


def decode_command(data: bytes) -> Command:
    """Decode a command.

    Raises:
        msgspec.DecodeError: ``data`` is no command.
    """
    return _command_decoder.decode(data)


def decode_event(data: bytes) -> Event:
    """Decode an event.

    Raises:
        msgspec.DecodeError: ``data`` is no event.
    """
    return _event_decoder.decode(data)


def coalesce(messages: list[M]) -> list[M]:
    """Drop each message that a later one of the same ``key`` replaces; the order is kept."""
    newest = {m.key: i for i, m in enumerate(messages) if m.key is not None}
    return [m for i, m in enumerate(messages) if m.key is None or newest[m.key] == i]
