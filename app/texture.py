"""Pixels on screen."""

from __future__ import annotations

import numpy as np

from app.gui import dpg

_STEP = 32


class Texture:
    """A raw RGBA texture for pixels [height, width], filled in place. It is uploaded in every
    frame, so it is made hardly larger than they are."""

    def __init__(self, height: int, width: int) -> None:
        self._buffer = np.ones((*_room(height, width), 4), np.float32)
        self._used = (height, width)
        rows, columns = self._buffer.shape[:2]
        self.tag = dpg.add_raw_texture(
            columns, rows, self._buffer, format=dpg.mvFormat_Float_rgba, parent="textures"
        )

    def fits(self, height: int, width: int) -> bool:
        """Whether it is of the right size for so many pixels."""
        return self._buffer.shape[:2] == _room(height, width)

    def load(self, pixels: np.ndarray) -> None:
        """Take uint8 [H, W, 4]; the edges are repeated once so that filtering stays clean."""
        height, width = self._used = pixels.shape[:2]
        framed = self._buffer[: height + 2, : width + 2]
        np.multiply(pixels, np.float32(1 / 255), out=framed[1:-1, 1:-1])
        framed[0], framed[-1] = framed[1], framed[-2]
        framed[:, 0], framed[:, -1] = framed[:, 1], framed[:, -2]

    def delete(self) -> None:
        dpg.delete_item(self.tag)

    @property
    def uv_min(self) -> tuple[float, float]:
        height, width = self._buffer.shape[:2]
        return 1 / width, 1 / height

    @property
    def uv_max(self) -> tuple[float, float]:
        height, width = self._buffer.shape[:2]
        return (self._used[1] + 1) / width, (self._used[0] + 1) / height


def _room(height: int, width: int) -> tuple[int, int]:
    return -(-(height + 2) // _STEP) * _STEP, -(-(width + 2) // _STEP) * _STEP
