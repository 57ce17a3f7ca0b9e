"""What only macOS has; the functions are those of `app.platform.linux`."""

from __future__ import annotations

from pathlib import Path

_DIALOGS = {
    "folder": "POSIX path of (choose folder)",
    "file": "POSIX path of (choose file)",
    "save": "POSIX path of (choose file name)",
}
"""In AppleScript."""


def screen_size(_path: Path | None) -> None:
    """Return None: only the desktop knows the size of the screen."""


def screen_scale() -> float:
    """Return 1: sizes are in points, which the desktop scales."""
    return 1.0


def dialog_command(purpose: str, _title: str, _start: str) -> list[str] | None:
    """Return the command that shows a file dialog and prints the chosen path."""
    return ["osascript", "-e", _DIALOGS[purpose]]
