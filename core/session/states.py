"""The life of a session as a table: which action is allowed in which state, and why not."""

from __future__ import annotations

from typing import get_args

from core.base.text import Text, text
from core.protocol import Action, State

ACTIONS: tuple[Action, ...] = get_args(Action)

_ALWAYS: tuple[Action, ...] = (
    "open",
    "close",
    "edit_scene",
    "exclude_photos",
    "undo",
    "redo",
    "pick",
    "set_camera_path",
    "save",
)
"""Allowed whenever something is open."""
_ALLOWED: dict[State, tuple[Action, ...]] = {
    "empty": ("open",),
    "opening": ("cancel",),
    "solving": ("cancel",),
    "ready": (*_ALWAYS, "set_options", "start"),
    "training": (*_ALWAYS, "pause", "discard", "export", "write_video"),
    "paused": (*_ALWAYS, "resume", "discard", "warm_start", "export", "write_video"),
    "finished": (*_ALWAYS, "continue", "discard", "warm_start", "export", "write_video"),
}
_NOT_WHILE_WRITING: tuple[Action, ...] = (
    "export",
    "write_video",
    "open",
    "close",
    "discard",
    "warm_start",
    "edit_scene",
    "exclude_photos",
    "undo",
    "redo",
)

_NOTHING_OPEN = text("Open some photos first")
_NO_SURFACE = text("Train first: there is no surface yet")
_REASONS: dict[Action, Text] = {
    "open": text("Something is being opened; cancel it first"),
    "close": text("Nothing is open"),
    "set_options": text("Settings are chosen before training"),
    "start": text("It is already training"),
    "resume": text("Only a paused training can be resumed"),
    "pause": text("Nothing is training"),
    "discard": text("Nothing has been trained yet"),
    "continue": text("Only a finished training can be continued"),
    "warm_start": text("There is nothing to begin with yet"),
    "cancel": text("There is nothing to cancel"),
    "edit_scene": _NOTHING_OPEN,
    "exclude_photos": _NOTHING_OPEN,
    "undo": text("There is nothing to undo"),
    "redo": text("There is nothing to redo"),
    "pick": _NOTHING_OPEN,
    "export": _NO_SURFACE,
    "set_camera_path": _NOTHING_OPEN,
    "write_video": _NO_SURFACE,
    "save": text("There is nothing to save yet"),
}
_REASONS_IN_STATE: dict[tuple[Action, State], Text] = {
    ("open", "solving"): text("Poses are being solved; cancel that first"),
    ("set_options", "empty"): _NOTHING_OPEN,
    ("start", "empty"): _NOTHING_OPEN,
    ("start", "opening"): text("Wait until the photos are read"),
    ("start", "solving"): text("Wait for the poses"),
    ("start", "paused"): text("It is paused; resume it"),
    ("start", "finished"): text("The training is finished; continue it or discard it"),
    ("continue", "training"): text("It is still training"),
    ("continue", "paused"): text("It is paused; resume it"),
    ("warm_start", "training"): text("It is still training"),
}


def allowed_now(
    state: State, writing: bool, *, undo: bool, redo: bool
) -> tuple[tuple[Action, ...], dict[Action, Text]]:
    """Return the actions that are allowed in ``state``, and the reasons against the others.

    Args:
        state: of the session.
        writing: a mesh or video is being written; that can be cancelled, and nothing may change the
            field's identity under it.
        undo: whether there is something to undo.
        redo: whether there is something to redo.
    """
    missing = {name for name, there in (("undo", undo), ("redo", redo)) if not there}
    possible = set(_ALLOWED[state]) - missing
    allowed = (possible | {"cancel"}) - set(_NOT_WHILE_WRITING) if writing else possible
    reasons: dict[Action, Text] = {}
    for action in ACTIONS:
        if writing and action in possible - allowed:
            reasons[action] = text("Something is being written")
        elif action not in allowed:
            reasons[action] = _REASONS_IN_STATE.get((action, state), _REASONS[action])
    return tuple(action for action in ACTIONS if action in allowed), reasons
