"""The life of a session as a table: which command is allowed in which state, and why not."""

from __future__ import annotations

from core.protocol import State

COMMANDS = (
    "open",
    "close",
    "choose",
    "start",
    "pause",
    "reset",
    "continue",
    "renew",
    "cancel",
    "arrange",
    "exclude",
    "undo",
    "redo",
    "pick",
    "export",
    "planfilm",
    "film",
    "save",
)

_OPEN = frozenset(
    {"open", "close", "arrange", "exclude", "undo", "redo", "pick", "planfilm", "save"}
)
"""Allowed whenever something is open."""
_ALLOWED: dict[State, frozenset[str]] = {
    "empty": frozenset({"open"}),
    "opening": frozenset({"cancel"}),
    "solving": frozenset({"cancel"}),
    "ready": _OPEN | {"choose", "start"},
    "training": _OPEN | {"pause", "reset", "export", "film"},
    "paused": _OPEN | {"start", "reset", "renew", "export", "film"},
    "finished": _OPEN | {"continue", "reset", "renew", "export", "film"},
}

_NOT_WHILE_EXPORTING = frozenset(
    {
        "export",
        "film",
        "open",
        "close",
        "reset",
        "renew",
        "arrange",
        "exclude",
        "undo",
        "redo",
    }
)

_WHY_NOT: dict[str, dict[State, str]] = {
    "open": {
        "opening": "Something is being opened; cancel it first",
        "solving": "Poses are being solved; cancel that first",
    },
    "start": {
        "empty": "Open some photos first",
        "opening": "Wait until the photos are read",
        "solving": "Wait for the poses",
        "training": "It is already training",
        "finished": "The training is finished; continue it or reset",
    },
    "pause": {},
    "reset": {},
    "continue": {"training": "It is still training", "paused": "It is paused; resume it"},
    "renew": {"training": "It is still training"},
    "cancel": {},
    "close": {},
    "choose": {"empty": "Open some photos first"},
    "undo": {},
    "redo": {},
    "arrange": {},
    "exclude": {},
    "pick": {},
    "export": {},
    "film": {},
    "planfilm": {},
    "save": {},
}
_WHY_NOT_IN_GENERAL = {
    "pause": "Nothing is training",
    "reset": "Nothing has been trained yet",
    "continue": "Only a finished training can be continued",
    "renew": "There is nothing to begin with yet",
    "cancel": "There is nothing to cancel",
    "arrange": "Open some photos first",
    "exclude": "Open some photos first",
    "close": "Nothing is open",
    "choose": "Settings are chosen before training",
    "undo": "There is nothing to undo",
    "redo": "There is nothing to do again",
    "pick": "Open some photos first",
    "export": "Train first: there is no surface yet",
    "planfilm": "Open some photos first",
    "film": "Train first: there is no surface yet",
    "save": "There is nothing to save yet",
}


def allowed_now(
    state: State, exporting: bool, *, undo: bool, redo: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The commands that make sense in ``state`` and the reasons against the others; while a mesh
    or film is being written (``exporting``) that can be cancelled, and nothing may change the
    field's identity under it. ``undo``, ``redo``: whether there is something to."""
    possible = (
        _ALLOWED[state] - ({"undo"} if not undo else set()) - ({"redo"} if not redo else set())
    )
    allowed = (possible | {"cancel"}) - _NOT_WHILE_EXPORTING if exporting else possible
    reasons = {}
    for command in COMMANDS:
        if command not in allowed:
            general = _WHY_NOT_IN_GENERAL.get(command, "Not now")
            reason = _WHY_NOT[command].get(state, general)
            reasons[command] = (
                "Something is being written" if exporting and (command in possible) else reason
            )
    return tuple(c for c in COMMANDS if c in allowed), reasons
