"""Textures of Dear PyGui whose pixels change."""

from __future__ import annotations

import logging

import numpy as np

from app.platform import window_gl
from app.platform.gui import dpg

_log = logging.getLogger("gradina.window")
_SIZE_STEP = 32
_MAX_WASTE = 1.5
"""A spare texture is reused for pixels of at least its size over this."""


class Texture:
    """An RGBA texture, hardly larger than its pixels.

    It can be drawn from the next frame of the window on.
    """

    def __init__(self, height: int, width: int) -> None:
        """Create a texture for ``height`` x ``width`` pixels."""
        self._used = (height, width)
        self._store = _acquire(*_padded_size(height, width))

    def fits(self, height: int, width: int) -> bool:
        """Return whether it has the right size for so many pixels."""
        return _is_reusable(self._store, *_padded_size(height, width))

    def load(self, pixels: np.ndarray) -> None:
        """Take uint8 [H, W, 4]; the edges are repeated once so that filtering stays clean."""
        height, width = self._used = pixels.shape[:2]
        framed = self._store.buffer[: height + 2, : width + 2]
        self._store.fill(framed[1:-1, 1:-1], pixels)
        framed[0], framed[-1] = framed[1], framed[-2]
        framed[:, 0], framed[:, -1] = framed[:, 1], framed[:, -2]
        self._store.upload(height + 2)

    def upload(self) -> bool:
        """Upload what was loaded; returns whether that works."""
        return self._store.upload(self._used[0] + 2)

    @property
    def pixels(self) -> np.ndarray:
        """What was loaded into a texture that is uploaded directly, uint8 [H, W, 4]."""
        height, width = self._used
        return self._store.buffer[1 : height + 1, 1 : width + 1]

    def delete(self) -> None:
        """Keep the texture for other pixels.

        Dear PyGui 2.3 never frees the buffer in graphics memory that a texture goes through.
        """
        _spares().append(self._store)

    @property
    def tag(self) -> int:
        """Item of Dear PyGui."""
        return self._store.tag

    @property
    def uv_min(self) -> tuple[float, float]:
        """Texture coordinates of the upper left corner."""
        height, width = self._store.buffer.shape[:2]
        return 1 / width, 1 / height

    @property
    def uv_max(self) -> tuple[float, float]:
        """Texture coordinates of the lower right corner."""
        height, width = self._store.buffer.shape[:2]
        return (self._used[1] + 1) / width, (self._used[0] + 1) / height


class _DirectTexture:
    """Uploaded when it changes, by `app.platform.window_gl`."""

    supported = window_gl.load_opengl() is not None

    def __init__(self, rows: int, columns: int) -> None:
        self.buffer = np.zeros((rows, columns, 4), np.uint8)
        row = np.random.default_rng().integers(0, 256, (columns, 4), np.uint8)
        self._marker_pixels: np.ndarray | None = self.buffer.copy()
        self._marker_pixels[0] = row
        self._name: int | None = None
        self.tag = dpg.add_static_texture(
            columns, rows, self._marker_pixels.astype(np.float32).ravel() / 255, parent="textures"
        )

    def fill(self, into: np.ndarray, pixels: np.ndarray) -> None:
        into[:] = pixels

    def upload(self, rows: int) -> bool:
        if self._name is None and self._marker_pixels is not None:
            self._name = window_gl.find_texture(self._marker_pixels)
        if self._name is None:
            return False
        self._marker_pixels = None
        window_gl.replace_pixels(self._name, self.buffer[:rows])
        return True


class _RawTexture:
    """Uploaded by Dear PyGui in every frame, as floats."""

    def __init__(self, rows: int, columns: int) -> None:
        self.buffer = np.ones((rows, columns, 4), np.float32)
        self.tag = dpg.add_raw_texture(
            columns, rows, self.buffer, format=dpg.mvFormat_Float_rgba, parent="textures"
        )

    def fill(self, into: np.ndarray, pixels: np.ndarray) -> None:
        np.multiply(pixels, np.float32(1 / 255), out=into)

    def upload(self, _rows: int) -> bool:
        return True


_Store = _DirectTexture | _RawTexture


def disable_direct_upload() -> None:
    """Let Dear PyGui upload all textures from now on, since direct uploads do not arrive."""
    _log.warning("pixels cannot be put into textures directly")
    _DirectTexture.supported = False
    _spares().clear()


def _spares() -> list[_Store]:
    """Return textures that are not shown; they end with the window."""
    spares: list[_Store] | None = dpg.get_item_user_data("textures")
    if spares is None:
        spares = []
        dpg.set_item_user_data("textures", spares)
    return spares


def _acquire(rows: int, columns: int) -> _Store:
    """Return the smallest spare texture that is large enough, or a new one."""
    spares = _spares()
    serving = [spare for spare in spares if _is_reusable(spare, rows, columns)]
    if serving:
        best = min(serving, key=lambda spare: spare.buffer.size)
        spares[:] = [spare for spare in spares if spare is not best]
        return best
    return (_DirectTexture if _DirectTexture.supported else _RawTexture)(rows, columns)


def _is_reusable(store: _Store, rows: int, columns: int) -> bool:
    height, width = store.buffer.shape[:2]
    return height >= rows and width >= columns and height * width <= _MAX_WASTE * rows * columns


def _padded_size(height: int, width: int) -> tuple[int, int]:
    return -(-(height + 2) // _SIZE_STEP) * _SIZE_STEP, -(-(width + 2) // _SIZE_STEP) * _SIZE_STEP
