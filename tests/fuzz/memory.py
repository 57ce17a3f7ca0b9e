"""The memory of a window and its worker through a long run."""

from __future__ import annotations

import time

import numpy as np

MOST_GROWTH = 100e6
"""Bytes by which either may grow from the third quarter of the time to the last: what the first use
of each thing takes is taken by then."""
MOST_OF_WINDOW = 120e6
"""Bytes by which the window may grow from the first third of the time to the last: it holds no
field."""


class Memory:
    """What was resident, and when."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, int, int]] = []
        """minutes, bytes of the window and of the worker"""

    def add(self, window: int, worker: int) -> None:
        """Bytes that are resident now."""
        self._rows.append((time.monotonic() / 60, window, worker))

    def check(self) -> None:
        """Neither grows on and on."""
        sizes = np.array(self._rows)[:, 1:]
        quarters = [np.median(part, 0) for part in np.array_split(sizes, 4)]
        assert (quarters[3] - quarters[2]).max() < MOST_GROWTH, str(self)
        first, _, last = np.array_split(sizes[:, 0], 3)
        assert np.median(last) - np.median(first) < MOST_OF_WINDOW, str(self)

    def __str__(self) -> str:
        if not self._rows:
            return "no memory was measured"
        rows = np.array(self._rows)
        minute = (rows[:, 0] - rows[0, 0]) // 1
        medians = np.stack([np.median(rows[minute == i, 1:], 0) for i in np.unique(minute)])
        window, worker = np.round(medians.T / 1e6).astype(int).tolist()
        return f"{len(rows)} actions; MB by the minute: window {window}, worker {worker}"
