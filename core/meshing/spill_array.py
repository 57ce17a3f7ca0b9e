"""Arrays that grow by rows, and lie in a temporary file once they are large."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable
from typing import IO

import numpy as np

from core.base import paths
from core.base.errors import UserError
from core.base.text import text

MAX_MEMORY_BYTES = 1 << 27
"""bytes that an array may take of memory; a larger one is mapped from a file that has no name, and
goes with it"""
CHUNK_ROWS = 1 << 20
"""rows that are worked on at once"""


class SpillArray:
    """Rows of one type and width, appended in pieces."""

    def __init__(self) -> None:
        self._pieces: list[np.ndarray] = []
        self._file: IO[bytes] | None = None
        self._shape: tuple[int, ...] = (0,)
        self.n_bytes = 0

    def append(self, rows: np.ndarray) -> None:
        """Raises UserError where the disk has no room."""
        if self._pieces and not len(rows):
            return
        self._pieces.append(np.ascontiguousarray(rows))
        self.n_bytes += rows.nbytes
        if self._file is not None or self.n_bytes > MAX_MEMORY_BYTES:
            self._spill()

    def array(self) -> np.ndarray:
        """All rows [N, ...], in the type of the first; nothing can be appended afterwards."""
        if self._file is None:
            return self._pieces[0] if len(self._pieces) == 1 else np.concatenate(self._pieces)
        self._file.flush()
        mapped = mmap.mmap(self._file.fileno(), 0)
        self._file.close()
        return np.frombuffer(mapped, self._pieces[0].dtype).reshape(-1, *self._shape[1:])

    def _spill(self) -> None:
        folder = paths.spill_folder()
        try:
            if self._file is None:
                folder.mkdir(parents=True, exist_ok=True)
                self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
                self._shape = self._pieces[0].shape
            for piece in self._pieces:
                self._file.write(piece.data)
        except OSError as error:
            raise UserError(
                text(
                    "{folder}: the mesh does not fit into memory, and not there either ({value})",
                    folder=folder,
                    value=error.strerror or error,
                ),
                text("Make room, or choose fewer cells"),
            ) from error
        self._pieces = [self._pieces[0][:0]]


def map_chunks(function: Callable[..., np.ndarray], *arrays: np.ndarray) -> np.ndarray:
    """``function`` over the rows of ``arrays``, `CHUNK_ROWS` at a time, as one array."""
    rows = SpillArray()
    for start in range(0, max(1, len(arrays[0])), CHUNK_ROWS):
        rows.append(function(*(array[start : start + CHUNK_ROWS] for array in arrays)))
    return rows.array()
