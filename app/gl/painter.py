"""Draws frames with OpenGL, off the screen and in a thread of its own: a thread has one context,
and that of the window's has Dear PyGui's."""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import moderngl
import numpy as np

from app.gl.drawings import Backdrop, Dots, Lines, Mesh, Photos
from app.gl.frame import Frame

_log = logging.getLogger("gradina.gl")


@dataclass(frozen=True, eq=False)
class Painted:
    """``pixels`` uint8 [H, W, 4] of ``frame``, and the ``seconds`` that it took; ``depths`` float32
    [H, W] of picture and mesh in OpenGL's window space, where the frame asked for them."""

    frame: Frame
    pixels: np.ndarray
    seconds: float
    depths: np.ndarray | None = None


class Painter:
    """``wake`` is called from the thread when something was painted. ``trouble`` says in one line
    why there is no OpenGL, "" while there is."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.trouble = ""
        self._wake = wake
        self._wanted: Frame | None = None
        self._painted: Painted | None = None
        self._more = threading.Condition()
        self._busy = False
        threading.Thread(target=self._run, name="gradina-gl", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether something is still being painted."""
        return self._busy or self._wanted is not None

    def paint(self, frame: Frame) -> None:
        """Paint ``frame`` next, in place of any other that waits."""
        with self._more:
            self._wanted = frame
            self._more.notify()

    def take(self) -> Painted | None:
        """What was painted last, once."""
        with self._more:
            painted, self._painted = self._painted, None
        return painted

    def _run(self) -> None:
        stage: _Stage | _Bare | None = None
        while True:
            with self._more:
                self._more.wait_for(lambda: self._wanted is not None)
                frame, self._wanted, self._busy = self._wanted, None, True
            assert frame is not None
            try:
                stage = stage or _Stage()
                began = time.perf_counter()
                pixels, depths = stage.paint(frame)
            except Exception as error:  # whatever a driver may say
                _log.exception("OpenGL")
                self.trouble = (str(error).splitlines() or [type(error).__name__])[0]
                stage, began = _Bare(), time.perf_counter()
                pixels, depths = stage.paint(frame)
            with self._more:
                self._painted = Painted(frame, pixels, time.perf_counter() - began, depths)
                self._busy = False
            self._wake()


class _Bare:
    """Where there is no OpenGL: the picture alone."""

    def paint(self, frame: Frame) -> tuple[np.ndarray, None]:
        shown = np.zeros((1, 1, 3), np.uint8) if frame.picture is None else frame.picture.pixels
        return np.concatenate([shown, np.full((*shown.shape[:2], 1), 255, np.uint8)], -1), None


class _Stage:
    """The context and what is drawn in it."""

    def __init__(self) -> None:
        self._context = _context()
        self._finish = _without_gil(self._context)
        self._target: moderngl.Framebuffer | None = None
        self._backdrop = Backdrop(self._context)
        self._mesh = Mesh(self._context)
        self._photos = Photos(self._context)
        self._lines, self._outlines = Lines(self._context), Lines(self._context)
        self._dots, self._marks = Dots(self._context), Dots(self._context)
        self._context.gc_mode = "auto"
        self._context.enable(moderngl.PROGRAM_POINT_SIZE)
        self._context.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA

    def paint(self, frame: Frame) -> tuple[np.ndarray, np.ndarray | None]:
        """Pixels and depths, as in `Painted`."""
        target = self._target_of(frame.size)
        target.use()
        self._context.enable(moderngl.DEPTH_TEST)
        self._context.depth_func = "1"
        self._context.disable(moderngl.BLEND)  # costs as much again in software
        self._backdrop.paint(frame)
        self._context.depth_func = "<="
        if frame.surface is not None and len(frame.surface.faces):
            self._mesh.paint(frame, frame.surface)
        depths = self._depths(target) if frame.deep else None
        self._context.enable(moderngl.BLEND)
        if frame.dots is not None and len(frame.dots):
            self._dots.paint(frame, frame.dots, marks=False)
        photos, thumbnails = frame.photos, frame.thumbnails
        if photos is not None and thumbnails is not None and len(photos) and len(thumbnails):
            self._photos.paint(frame, photos, thumbnails)
        target.depth_mask = False  # the faint edges of a line hide nothing
        if frame.lines is not None and len(frame.lines):
            self._lines.paint(frame, frame.lines, ghost=False)
        if frame.outlines is not None and len(frame.outlines):
            self._outlines.paint(frame, frame.outlines, ghost=True)
        if frame.marks is not None and len(frame.marks):
            self._context.disable(moderngl.DEPTH_TEST)
            self._marks.paint(frame, frame.marks, marks=True)
        target.depth_mask = True
        self._finish()
        out = np.empty((frame.size[1], frame.size[0], 4), np.uint8)
        target.read_into(out, components=4)
        return out, depths

    def _depths(self, target: moderngl.Framebuffer) -> np.ndarray:
        self._finish()
        width, height = target.size
        out = np.empty((height, width), np.float32)
        target.read_into(out, components=1, attachment=-1, dtype="f4")
        return out

    def _target_of(self, size: tuple[int, int]) -> moderngl.Framebuffer:
        if self._target is None or self._target.size != size:
            if self._target is not None:
                self._target.release()
            color = self._context.renderbuffer(size, 4)
            self._target = self._context.framebuffer(
                [color], self._context.depth_renderbuffer(size)
            )
        return self._target


def _context() -> moderngl.Context:
    if sys.platform == "linux":
        with suppress(Exception):  # EGL needs no display, but a machine may lack it
            egl: Any = "egl"  # typed otherwise there
            return moderngl.create_context(standalone=True, backend=egl, require=330)
    return moderngl.create_context(standalone=True, require=330)


def _without_gil(context: moderngl.Context) -> Callable[[], None]:
    """Waits for all that was drawn while other threads go on, which moderngl's own does not."""
    glue: Any = context.mglo
    kind = ctypes.WINFUNCTYPE if sys.platform == "win32" else ctypes.CFUNCTYPE
    try:
        return kind(None)(glue._context.load("glFinish"))
    except (AttributeError, TypeError):
        return context.finish
