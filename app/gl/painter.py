"""Draws frames with OpenGL, off screen and in a thread of its own.

A thread has one OpenGL context, and that of the window's thread belongs to Dear PyGui.
"""

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

from app.gl.frame import Frame
from app.gl.layers import BackdropLayer, DotLayer, LineLayer, MeshLayer, PhotoLayer

_log = logging.getLogger("gradina.gl")


@dataclass(frozen=True, eq=False)
class PaintedFrame:
    """A frame that was drawn."""

    frame: Frame
    """What was drawn."""
    pixels: np.ndarray
    """uint8 [H, W, 4]."""
    seconds: float
    """Time that drawing took."""
    depths: np.ndarray | None = None
    """float32 [H, W] of picture and mesh, as OpenGL stores them; None if not asked for."""


class Painter:
    """Draws the newest frame that was submitted."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """Start the thread; it calls ``wake`` after each frame."""
        self.error = ""
        """Why there is no OpenGL, in one line; "" while there is."""
        self._wake = wake
        self._wanted: Frame | None = None
        self._painted: PaintedFrame | None = None
        self._condition = threading.Condition()
        self._busy = False
        threading.Thread(target=self._run, name="gradina-gl", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether a frame is waiting or being drawn."""
        return self._busy or self._wanted is not None

    def submit(self, frame: Frame) -> None:
        """Draw ``frame`` next, in place of any other that waits."""
        with self._condition:
            self._wanted = frame
            self._condition.notify()

    def take_result(self) -> PaintedFrame | None:
        """Return the frame that was drawn last, once; None if there is no new one."""
        with self._condition:
            painted, self._painted = self._painted, None
        return painted

    def _run(self) -> None:
        renderer: _Renderer | _PlainRenderer | None = None
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._wanted is not None)
                frame, self._wanted, self._busy = self._wanted, None, True
            assert frame is not None
            try:
                renderer = renderer or _Renderer()
                began = time.perf_counter()
                pixels, depths = renderer.paint(frame)
            except Exception as error:  # whatever a driver may say
                _log.exception("OpenGL")
                self.error = (str(error).splitlines() or [type(error).__name__])[0]
                renderer, began = _PlainRenderer(), time.perf_counter()
                pixels, depths = renderer.paint(frame)
            with self._condition:
                self._painted = PaintedFrame(frame, pixels, time.perf_counter() - began, depths)
                self._busy = False
            self._wake()


class _PlainRenderer:
    """Where there is no OpenGL: the picture alone."""

    def paint(self, frame: Frame) -> tuple[np.ndarray, None]:
        shown = np.zeros((1, 1, 3), np.uint8) if frame.picture is None else frame.picture.pixels
        return np.concatenate([shown, np.full((*shown.shape[:2], 1), 255, np.uint8)], -1), None


class _Renderer:
    """The OpenGL context and the layers drawn in it."""

    def __init__(self) -> None:
        self._context = _create_context()
        self._finish = _finish_without_gil(self._context)
        self._target: moderngl.Framebuffer | None = None
        self._backdrop = BackdropLayer(self._context)
        self._mesh = MeshLayer(self._context)
        self._photos = PhotoLayer(self._context)
        self._lines, self._outlines = LineLayer(self._context), LineLayer(self._context)
        self._dots, self._marker_layer = DotLayer(self._context), DotLayer(self._context)
        self._context.gc_mode = "auto"
        self._context.enable(moderngl.PROGRAM_POINT_SIZE)
        self._context.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA

    def paint(self, frame: Frame) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw ``frame``; returns its pixels and depths, as in `PaintedFrame`."""
        target = self._framebuffer(frame.size)
        target.use()
        self._context.enable(moderngl.DEPTH_TEST)
        self._context.depth_func = "1"
        self._context.disable(moderngl.BLEND)  # costs as much again in software
        self._backdrop.paint(frame)
        self._context.depth_func = "<="
        if frame.surface is not None and len(frame.surface.faces):
            self._mesh.paint(frame, frame.surface)
        depths = self._read_depths(target) if frame.wants_depths else None
        self._context.enable(moderngl.BLEND)
        if frame.dots is not None and len(frame.dots):
            self._dots.paint(frame, frame.dots, as_markers=False)
        photos, thumbnails = frame.photos, frame.thumbnails
        if photos is not None and thumbnails is not None and len(photos) and len(thumbnails):
            self._photos.paint(frame, photos, thumbnails)
        target.depth_mask = False  # the faint edges of a line hide nothing
        if frame.lines is not None and len(frame.lines):
            self._lines.paint(frame, frame.lines, show_hidden=False)
        if frame.outlines is not None and len(frame.outlines):
            self._outlines.paint(frame, frame.outlines, show_hidden=True)
        if frame.markers is not None and len(frame.markers):
            self._context.disable(moderngl.DEPTH_TEST)
            self._marker_layer.paint(frame, frame.markers, as_markers=True)
        target.depth_mask = True
        self._finish()
        out = np.empty((frame.size[1], frame.size[0], 4), np.uint8)
        target.read_into(out, components=4)
        return out, depths

    def _read_depths(self, target: moderngl.Framebuffer) -> np.ndarray:
        self._finish()
        width, height = target.size
        out = np.empty((height, width), np.float32)
        target.read_into(out, components=1, attachment=-1, dtype="f4")
        return out

    def _framebuffer(self, size: tuple[int, int]) -> moderngl.Framebuffer:
        if self._target is None or self._target.size != size:
            if self._target is not None:
                self._target.release()
            color = self._context.renderbuffer(size, 4)
            self._target = self._context.framebuffer(
                [color], self._context.depth_renderbuffer(size)
            )
        return self._target


def _create_context() -> moderngl.Context:
    if sys.platform == "linux":
        with suppress(Exception):  # EGL needs no display, but a machine may lack it
            egl: Any = "egl"  # typed otherwise there
            return moderngl.create_context(standalone=True, backend=egl, require=330)
    return moderngl.create_context(standalone=True, require=330)


def _finish_without_gil(context: moderngl.Context) -> Callable[[], None]:
    """Return a function like ``context.finish`` that lets other Python threads run."""
    glue: Any = context.mglo
    kind = ctypes.WINFUNCTYPE if sys.platform == "win32" else ctypes.CFUNCTYPE
    try:
        return kind(None)(glue._context.load("glFinish"))
    except (AttributeError, TypeError):
        return context.finish
