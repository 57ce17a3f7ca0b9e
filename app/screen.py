"""The screen that the window is to be shown on."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from pathlib import Path

from core.errors import UserError


def screen_size(path: Path | None) -> tuple[int, int] | None:
    """Pixels of the screen, or None where only the desktop knows. Raises UserError when there is
    no display: Dear PyGui would abort the process."""
    if sys.platform != "linux":
        return None
    remedy = f"Use `python main.py reconstruct {path or 'PATH'} -o DIR` to work without a window."
    name = os.environ.get("DISPLAY")
    if not name:
        raise UserError("No display: the variable DISPLAY is not set", remedy)
    library = ctypes.util.find_library("X11")
    if library is None:
        return None
    x11 = ctypes.CDLL(library)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    opened = x11.XOpenDisplay(None)
    if not opened:
        raise UserError(f"No display: {name} does not answer", remedy)
    display = ctypes.c_void_p(opened)
    size = x11.XDisplayWidth(display, 0), x11.XDisplayHeight(display, 0)
    x11.XCloseDisplay(display)
    return size
