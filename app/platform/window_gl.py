"""OpenGL calls that put pixels into a texture of Dear PyGui's, in the window's own context.

Dear PyGui uploads a texture whose pixels may change in every frame, as floats: half the cost of a
frame in software. One that cannot change is uploaded once, and then its pixels are replaced from
here. Only where the window is drawn by OpenGL through one library for all contexts (Linux).
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

import numpy as np

_TEXTURE_2D, _RGBA, _BYTES, _WIDTH, _HEIGHT = 0x0DE1, 0x1908, 0x1401, 0x1000, 0x1001
_MAX_NAMES = 1 << 14


@cache
def load_opengl() -> ctypes.CDLL | None:
    """Return the OpenGL library; None where it is not available."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        gl = ctypes.CDLL("libGL.so.1")
        gl.glIsTexture.restype = ctypes.c_ubyte
        _ = gl.glBindTexture, gl.glGetTexLevelParameteriv, gl.glGetTexImage, gl.glTexSubImage2D
    except (OSError, AttributeError):
        return None
    return gl


def find_texture(pixels: np.ndarray) -> int | None:
    """Return the OpenGL name of the texture that holds ``pixels``, uint8 [H, W, 4], if any."""
    gl = load_opengl()
    assert gl is not None
    for name in range(1, _MAX_NAMES):
        if gl.glIsTexture(name):
            gl.glBindTexture(_TEXTURE_2D, name)
            if _size(gl) == pixels.shape[:2]:
                there = np.empty_like(pixels)
                gl.glGetTexImage(_TEXTURE_2D, 0, _RGBA, _BYTES, ctypes.c_void_p(there.ctypes.data))
                if np.array_equal(there, pixels):
                    return name
    return None


def replace_pixels(name: int, pixels: np.ndarray) -> None:
    """Replace the first rows of the texture ``name`` by ``pixels``, uint8 [H, W, 4]."""
    gl, (height, width) = load_opengl(), pixels.shape[:2]
    assert gl is not None
    assert pixels.flags.c_contiguous
    gl.glBindTexture(_TEXTURE_2D, name)
    gl.glTexSubImage2D(
        _TEXTURE_2D, 0, 0, 0, width, height, _RGBA, _BYTES, ctypes.c_void_p(pixels.ctypes.data)
    )


def _size(gl: ctypes.CDLL) -> tuple[int, int]:
    size = ctypes.c_int(0), ctypes.c_int(0)
    for which, value in zip((_HEIGHT, _WIDTH), size):
        gl.glGetTexLevelParameteriv(_TEXTURE_2D, 0, which, ctypes.byref(value))
    return size[0].value, size[1].value
