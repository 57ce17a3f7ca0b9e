"""Where in the photos the colours are still wrong, so that rays can be drawn there."""

from __future__ import annotations

import math

import numpy as np

from core.capture.pixels import PixelStore

MIN_CELL = 8
"""Pixels along the side of a cell that shares one error, at least."""
MAX_CELLS = 200_000
"""Cells are larger where there are many pixels: one that no ray has visited knows nothing, and all
are summed at every step."""
ERROR_UPDATE_RATE = 0.2
"""Share of a cell's error that one new ray in it replaces."""


class ErrorMap:
    """A mean error of colour for every cell of every photo; 1 where no ray has been yet."""

    def __init__(self, store: PixelStore) -> None:
        self._store = store
        widths, heights = store.widths.astype(np.int64), store.heights.astype(np.int64)
        self.cell = max(MIN_CELL, math.ceil(math.sqrt((widths * heights).sum() / MAX_CELLS)))
        self._columns, rows = -(-widths // self.cell), -(-heights // self.cell)
        self._starts = np.concatenate([[0], np.cumsum(self._columns * rows)])
        self.errors = np.ones(self._starts[-1], np.float32)
        self.exclude_photos(np.zeros(len(widths), bool))

    def exclude_photos(self, photos: np.ndarray) -> None:
        """From now on no pixel is drawn of ``photos``, bool [N]."""
        self._wanted = np.repeat(~photos, np.diff(self._starts))
        self._last = np.flatnonzero(self._wanted)[-1]

    def cells(self, photo: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """[N] the cells of pixels (u, v) of photos, each [N]."""
        return self._starts[photo] + v // self.cell * self._columns[photo] + u // self.cell

    def sample_pixels(self, n: int, random: np.random.Generator) -> np.ndarray:
        """[n] flat indices of pixels, cells chosen in proportion to their error: one draw in each
        n-th part of their sum, which wavers less than n draws from all of it."""
        total = np.cumsum(self.errors * self._wanted, dtype=np.float64)
        drawn = (np.arange(n) + random.random(n)) * (total[-1] / max(n, 1))
        cell = np.searchsorted(total, drawn, side="right")
        cell = np.minimum(cell, self._last)
        photo = np.searchsorted(self._starts, cell, side="right") - 1
        row, column = np.divmod(cell - self._starts[photo], self._columns[photo])
        widths, heights = self._store.widths[photo], self._store.heights[photo]
        u = np.minimum(column * self.cell + random.integers(0, self.cell, n), widths - 1)
        v = np.minimum(row * self.cell + random.integers(0, self.cell, n), heights - 1)
        return self._store.offsets[photo] + v * widths.astype(np.int64) + u

    def update(self, cells: np.ndarray, errors: np.ndarray) -> None:
        """Rays in ``cells`` [N] were wrong by ``errors`` [N]."""
        self.errors[cells] += ERROR_UPDATE_RATE * (errors - self.errors[cells])
