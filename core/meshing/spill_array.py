"""Arrays that grow by rows and are spilled to a temporary file once they are large."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable
from typing import IO, TypeVarTuple, cast

import numpy as np

from core.base import paths
from core.base.errors import UserError
from core.base.text import text

Ts = TypeVarTuple("Ts")
MAX_MEMORY_BYTES = 1 << 27
"""of an array in memory; a larger one is mapped from an unlinked file"""
CHUNK_ROWS = 1 << 20
"""rows processed at once"""


class SpillArray:
    """Rows of one type and width, appended in pieces."""

    def __init__(self) -> None:
        self._pieces: list[np.ndarray] = []
        self._file: IO[bytes] | None = None
        self._shape: tuple[int, ...] = (0,)
        self.n_bytes = 0

    def append(self, rows: np.ndarray) -> None:
        """Append ``rows``.

        Raises:
            UserError: the disk is full.
        """
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
        """Write the rows that are still in memory to the file."""
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
                    "The mesh does not fit into memory, nor on the disk of {folder} ({reason})",
                    folder=folder,
                    reason=error.strerror or error,
                ),
                text("Free disk space, or choose fewer cells"),
            ) from error
        self._pieces = [self._pieces[0][:0]]


def map_chunks(function: Callable[[*Ts], np.ndarray], *arrays: *Ts) -> np.ndarray:
    """Apply ``function`` to the rows of ``arrays``, `CHUNK_ROWS` at a time.

    Returns:
        The results as one array, on disk where it is large.
    """
    call, inputs = cast(Callable[..., np.ndarray], function), cast(tuple[np.ndarray, ...], arrays)
    results = SpillArray()
    for start in range(0, max(1, len(inputs[0])), CHUNK_ROWS):
        results.append(call(*(rows[start : start + CHUNK_ROWS] for rows in inputs)))
    return results.array()
