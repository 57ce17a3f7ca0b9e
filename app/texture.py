"""Pixels on screen."""

from __future__ import annotations

import numpy as np

from app.gui import dpg

_STEP = 32
_WASTE = 1.5
"""A texture that is no longer used serves again for as little as its size over this."""


class Texture:
    """A raw RGBA texture for pixels [height, width], filled in place. It is uploaded in every
    frame, so it is made hardly larger than they are."""

    def __init__(self, height: int, width: int) -> None:
        self._used = (height, width)
        self._buffer, self.tag = _take(*_room(height, width))

    def fits(self, height: int, width: int) -> bool:
        """Whether it is of the right size for so many pixels."""
        return _serves(self._buffer, *_room(height, width))

    def load(self, pixels: np.ndarray) -> None:
        """Take uint8 [H, W, 4]; the edges are repeated once so that filtering stays clean."""
        height, width = self._used = pixels.shape[:2]
        framed = self._buffer[: height + 2, : width + 2]
        np.multiply(pixels, np.float32(1 / 255), out=framed[1:-1, 1:-1])
        framed[0], framed[-1] = framed[1], framed[-2]
        framed[:, 0], framed[:, -1] = framed[:, 1], framed[:, -2]

    def delete(self) -> None:
        """Give it up, to be used for another picture: Dear PyGui 2.3 never frees the buffer in
        graphics memory that a texture goes through, not even with the texture."""
        _spares().append((self._buffer, self.tag))

    @property
    def uv_min(self) -> tuple[float, float]:
        height, width = self._buffer.shape[:2]
        return 1 / width, 1 / height

    @property
    def uv_max(self) -> tuple[float, float]:
        height, width = self._buffer.shape[:2]
        return (self._used[1] + 1) / width, (self._used[0] + 1) / height


Spare = tuple[np.ndarray, int]


def _spares() -> list[Spare]:
    """Textures that nothing is shown with; they end with the window."""
    found = dpg.get_item_user_data("textures")
    if found is None:
        found = []
        dpg.set_item_user_data("textures", found)
    return found


def _take(rows: int, columns: int) -> Spare:
    """The smallest spare texture that serves, or a new one."""
    spares = _spares()
    serving = [spare for spare in spares if _serves(spare[0], rows, columns)]
    if serving:
        best = min(serving, key=lambda spare: spare[0].size)
        spares[:] = [spare for spare in spares if spare is not best]
        return best
    buffer = np.ones((rows, columns, 4), np.float32)
    tag = dpg.add_raw_texture(
        columns, rows, buffer, format=dpg.mvFormat_Float_rgba, parent="textures")
    return buffer, tag


def _serves(buffer: np.ndarray, rows: int, columns: int) -> bool:
    height, width = buffer.shape[:2]
    return height >= rows and width >= columns and height * width <= _WASTE * rows * columns


def _room(height: int, width: int) -> tuple[int, int]:
    return -(-(height + 2) // _STEP) * _STEP, -(-(width + 2) // _STEP) * _STEP
