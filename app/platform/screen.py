"""The screen that the window is to be shown on."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from contextlib import suppress
from pathlib import Path

from core.base.errors import UserError
from core.base.program import COMMAND
from core.base.text import text


def screen_size(path: Path | None) -> tuple[int, int] | None:
    """Pixels of the screen, or None where only the desktop knows. Raises UserError when there is
    no display: Dear PyGui would abort the process."""
    if sys.platform != "linux":
        return None
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
    """By how much text is to be larger than on a screen of 96 dots an inch, as the desktop says."""
    if sys.platform == "win32":
        return ctypes.windll.user32.GetDpiForSystem() / 96
    if sys.platform != "linux":
        return 1.0  # macOS counts points
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
