"""Pixels on screen."""

from __future__ import annotations

import logging

import numpy as np

from app.platform.gui import dpg
from app.viewport import window_gl

_log = logging.getLogger("gradina.window")
_STEP = 32
_WASTE = 1.5
"""A texture that is no longer used serves again for as little as its size over this."""


class Texture:
    """An RGBA texture for pixels [height, width], hardly larger than they are. It can be drawn with
    a frame of the window after it was made, and not before."""

    def __init__(self, height: int, width: int) -> None:
        self._used = (height, width)
        self._store = _take(*_room(height, width))

    def fits(self, height: int, width: int) -> bool:
        """Whether it is of the right size for so many pixels."""
        return _serves(self._store, *_room(height, width))

    def load(self, pixels: np.ndarray) -> None:
        """Take uint8 [H, W, 4]; the edges are repeated once so that filtering stays clean."""
        height, width = self._used = pixels.shape[:2]
        framed = self._store.buffer[: height + 2, : width + 2]
        self._store.fill(framed[1:-1, 1:-1], pixels)
        framed[0], framed[-1] = framed[1], framed[-2]
        framed[:, 0], framed[:, -1] = framed[:, 1], framed[:, -2]
        self._store.send(height + 2)

    def send(self) -> bool:
        """What was loaded before it could be drawn is there now; False: it cannot be."""
        return self._store.send(self._used[0] + 2)

    @property
    def pixels(self) -> np.ndarray:
        """What was loaded into one that is to be sent, uint8 [H, W, 4]."""
        height, width = self._used
        return self._store.buffer[1 : height + 1, 1 : width + 1]

    def delete(self) -> None:
        """Give it up, to be used for another picture: Dear PyGui 2.3 never frees the buffer in
        graphics memory that a texture goes through, not even with the texture."""
        _spares().append(self._store)

    @property
    def tag(self) -> int:
        return self._store.tag

    @property
    def uv_min(self) -> tuple[float, float]:
        height, width = self._store.buffer.shape[:2]
        return 1 / width, 1 / height

    @property
    def uv_max(self) -> tuple[float, float]:
        height, width = self._store.buffer.shape[:2]
        return (self._used[1] + 1) / width, (self._used[0] + 1) / height


class _Sent:
    """Uploaded when it changes: `app.viewport.window_gl`."""

    works = window_gl.opengl() is not None

    def __init__(self, rows: int, columns: int) -> None:
        self.buffer = np.zeros((rows, columns, 4), np.uint8)
        mark = np.random.default_rng().integers(0, 256, (columns, 4), np.uint8)
        self._mark: np.ndarray | None = self.buffer.copy()
        self._mark[0] = mark
        self._name: int | None = None
        self.tag = dpg.add_static_texture(
            columns, rows, self._mark.astype(np.float32).ravel() / 255, parent="textures"
        )

    def fill(self, into: np.ndarray, pixels: np.ndarray) -> None:
        into[:] = pixels

    def send(self, rows: int) -> bool:
        if self._name is None and self._mark is not None:
            self._name = window_gl.find(self._mark)
        if self._name is None:
            return False
        self._mark = None
        window_gl.replace(self._name, self.buffer[:rows])
        return True


class _Raw:
    """Uploaded by Dear PyGui in every frame, as floats."""

    def __init__(self, rows: int, columns: int) -> None:
        self.buffer = np.ones((rows, columns, 4), np.float32)
        self.tag = dpg.add_raw_texture(
            columns, rows, self.buffer, format=dpg.mvFormat_Float_rgba, parent="textures"
        )

    def fill(self, into: np.ndarray, pixels: np.ndarray) -> None:
        np.multiply(pixels, np.float32(1 / 255), out=into)

    def send(self, rows: int) -> bool:
        return True


_Store = _Sent | _Raw


def stop_sending() -> None:
    """From now on Dear PyGui uploads all textures, as those that are sent do not get there."""
    _log.warning("pixels cannot be put into textures directly")
    _Sent.works = False
    _spares().clear()


def _spares() -> list[_Store]:
    """Textures that nothing is shown with; they end with the window."""
    found = dpg.get_item_user_data("textures")
    if found is None:
        found = []
        dpg.set_item_user_data("textures", found)
    return found


def _take(rows: int, columns: int) -> _Store:
    """The smallest spare texture that serves, or a new one."""
    spares = _spares()
    serving = [spare for spare in spares if _serves(spare, rows, columns)]
    if serving:
        best = min(serving, key=lambda spare: spare.buffer.size)
        spares[:] = [spare for spare in spares if spare is not best]
        return best
    return (_Sent if _Sent.works else _Raw)(rows, columns)


def _serves(store: _Store, rows: int, columns: int) -> bool:
    height, width = store.buffer.shape[:2]
    return height >= rows and width >= columns and height * width <= _WASTE * rows * columns


def _room(height: int, width: int) -> tuple[int, int]:
    return -(-(height + 2) // _STEP) * _STEP, -(-(width + 2) // _STEP) * _STEP
