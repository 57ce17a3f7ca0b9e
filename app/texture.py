"""Pixels on screen."""

from __future__ import annotations

import numpy as np

from app.gui import dpg

_STEP = 32


class Texture:
    """A raw RGBA texture, filled in place. It is uploaded in every frame, so it is made hardly
    larger than the pixels, and anew when their size changes much."""

    def __init__(self) -> None:
        self.tag: int | str = 0
        self._buffer = np.zeros((0, 0, 4), np.float32)
        self._used = (1, 1)

    def load(self, pixels: np.ndarray) -> None:
        """Take uint8 [H, W, 4]; the edges are repeated once so that filtering stays clean."""
        height, width = pixels.shape[:2]
        room = tuple(-(-(n + 2) // _STEP) * _STEP for n in (height, width))
        if self._buffer.shape[:2] != room:
            self._make(*room)
        self._used = (height, width)
        framed = self._buffer[: height + 2, : width + 2]
        np.multiply(pixels, np.float32(1 / 255), out=framed[1:-1, 1:-1])
        framed[0], framed[-1] = framed[1], framed[-2]
        framed[:, 0], framed[:, -1] = framed[:, 1], framed[:, -2]

    def _make(self, height: int, width: int) -> None:
        if self.tag:
            dpg.delete_item("picture", children_only=True)
            dpg.delete_item(self.tag)
        self._buffer = np.ones((height, width, 4), np.float32)
        self.tag = dpg.add_raw_texture(
            width, height, self._buffer, format=dpg.mvFormat_Float_rgba, parent="textures"
        )

    @property
    def uv_min(self) -> tuple[float, float]:
        height, width = self._buffer.shape[:2]
        return 1 / width, 1 / height

    @property
    def uv_max(self) -> tuple[float, float]:
        height, width = self._buffer.shape[:2]
        return (self._used[1] + 1) / width, (self._used[0] + 1) / height
