"""What only Linux, or another desktop on X11, has: screen, scale and file dialogs."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
from contextlib import suppress
from pathlib import Path

from core.base.errors import UserError
from core.base.program import COMMAND
from core.base.text import text


def screen_size(path: Path | None) -> tuple[int, int] | None:
    """Return the size of the screen.

    Args:
        path: What the window was to open, for the message.

    Returns:
        Width and height in pixels; None if unknown.

    Raises:
        UserError: There is no display. Dear PyGui would abort the process.
    """
    remedy = text(
        "Use `{command} reconstruct {path} -o DIR` to work without a window.",
        command=" ".join(COMMAND),
        path=path or "PATH",
    )
    name = os.environ.get("DISPLAY")
    if not name:
        raise UserError(text("No display: the variable DISPLAY is not set"), remedy)
    library = ctypes.util.find_library("X11")
    if library is None:
        return None
    x11 = ctypes.CDLL(library)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    opened = x11.XOpenDisplay(None)
    if not opened:
        raise UserError(text("No display: {name} does not answer", name=name), remedy)
    display = ctypes.c_void_p(opened)
    size = x11.XDisplayWidth(display, 0), x11.XDisplayHeight(display, 0)
    x11.XCloseDisplay(display)
    return size


def screen_scale() -> float:
    """Return the scale factor that the desktop wants; 1 for 96 dots an inch."""
    if wanted := os.environ.get("GDK_SCALE"):
        with suppress(ValueError):
            return max(float(wanted), 1.0)
    library = ctypes.util.find_library("X11")
    if library is None:
        return 1.0
    x11 = ctypes.CDLL(library)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XGetDefault.restype = ctypes.c_char_p
    opened = x11.XOpenDisplay(None)
    if not opened:
        return 1.0
    display = ctypes.c_void_p(opened)
    dots = x11.XGetDefault(display, b"Xft", b"dpi")
    x11.XCloseDisplay(display)
    return max(float(dots) / 96, 1.0) if dots else 1.0


def dialog_command(purpose: str, title: str, start: str) -> list[str] | None:
    """Return the command that shows a file dialog and prints the chosen path.

    Args:
        purpose: "folder", "file" or "save".
        title: Of the dialog.
        start: File or folder to begin at.

    Returns:
        The command; None if no dialog is installed.
    """
    if shutil.which("zenity"):
        options = {"folder": ["--directory"], "file": [], "save": ["--save", "--confirm-overwrite"]}
        return [
            "zenity",
            "--file-selection",
            f"--title={title}",
            f"--filename={start}",
            *options[purpose],
        ]
    if shutil.which("kdialog"):
        options = {
            "folder": ["--getexistingdirectory"],
            "file": ["--getopenfilename"],
            "save": ["--getsavefilename"],
        }
        return ["kdialog", "--title", title, *options[purpose], start or "."]
    return None
