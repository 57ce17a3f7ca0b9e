"""What only Windows has; the functions are those of `app.platform.linux`."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_DIALOGS = {
    "folder": ("FolderBrowserDialog", "SelectedPath"),
    "file": ("OpenFileDialog", "FileName"),
    "save": ("SaveFileDialog", "FileName"),
}
"""Classes of .NET, and the property that holds the path."""


def screen_size(_path: Path | None) -> None:
    """Return None: only the desktop knows the size of the screen."""


def screen_scale() -> float:
    """Return the scale factor that the desktop wants; 1 for 96 dots an inch."""
    assert sys.platform == "win32"
    return ctypes.windll.user32.GetDpiForSystem() / 96


def dialog_command(purpose: str, _title: str, _start: str) -> list[str] | None:
    """Return the command that shows a file dialog and prints the chosen path."""
    kind, path = _DIALOGS[purpose]
    script = (
        "Add-Type -AssemblyName System.Windows.Forms; "
        f"$d = New-Object System.Windows.Forms.{kind}; "
        f"if ($d.ShowDialog() -eq 'OK') {{ [Console]::Out.Write($d.{path}) }}"
    )
    return ["powershell", "-NoProfile", "-STA", "-Command", script]
