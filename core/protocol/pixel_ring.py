"""Preview pixels between two processes: a few slots in shared memory, one writer, one reader.

Layout: 64 header numbers (uint64), then the slots. Header: [0] the reader's pin (slot + 1, 0 for
none), [1] set once the writer is attached, [2 + slot] the sequence number of what the slot holds
(0 while it is being written). The writer first marks a slot as being written and then looks at
the pin; the reader first pins and then looks at the sequence number: whoever comes second sees
the other and steps back, so a slot is never overwritten while it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import shared_memory

import numpy as np

PREVIEWS, PHOTOS = range(4), range(4, 7)
"""Slots of pictures that follow each other quickly, and of photos, which come once and stay."""
N_SLOTS = len(PREVIEWS) + len(PHOTOS)
MAX_PIXELS = 1920 * 1080
_HEADER_BYTES = 64 * 8
_COLOR_BYTES = MAX_PIXELS * 3
_SLOT_BYTES = _COLOR_BYTES + MAX_PIXELS * 4
_PIN, _ATTACHED, _SEQUENCES = 0, 1, 2


class PreviewRing:
    """The reader makes the ring with `create` and is its owner; the writer opens it by name.

    The name can be removed (`unlink`) as soon as the writer is `attached`: the memory then lives
    exactly as long as the processes that hold it, however they end.
    """

    def __init__(self, memory: shared_memory.SharedMemory) -> None:
        assert memory.buf is not None
        self._memory = memory
        self._header = np.frombuffer(memory.buf, np.uint64, 64)
        self._pixels = np.frombuffer(memory.buf, np.uint8, N_SLOTS * _SLOT_BYTES, _HEADER_BYTES)
        self._linked = False
        self._sequence = 0

    @classmethod
    def create(cls) -> PreviewRing:
        size = _HEADER_BYTES + N_SLOTS * _SLOT_BYTES
        ring = cls(shared_memory.SharedMemory(create=True, size=size))
        ring._linked = True
        return ring

    @classmethod
    def attach(cls, name: str) -> PreviewRing:
        ring = cls(shared_memory.SharedMemory(name=name))
        ring._header[_ATTACHED] = 1
        return ring

    @property
    def name(self) -> str:
        return self._memory.name

    @property
    def attached(self) -> bool:
        """Whether the writer has opened the ring."""
        return bool(self._header[_ATTACHED])

    def write(
        self, image: np.ndarray, slots: range = PREVIEWS, distances: np.ndarray | None = None
    ) -> tuple[int, int, int, int]:
        """Publish ``image`` uint8 [H, W, 3], and ``distances`` float32 [H, W] where there are some,
        in one of ``slots``; returns (slot, sequence, width, height).

        An image beyond `MAX_PIXELS` is thinned by whole pixels, which is why the size comes back.
        """
        stride = 1
        while -(-image.shape[0] // stride) * -(-image.shape[1] // stride) > MAX_PIXELS:
            stride += 1
        image = image[::stride, ::stride]
        height, width = image.shape[:2]
        slot = self._claim(slots)
        self._slot(slot, width, height)[:] = image
        if distances is not None:
            self.distances(slot, width, height)[:] = distances[::stride, ::stride]
        self._sequence += 1
        self._header[_SEQUENCES + slot] = self._sequence
        return slot, self._sequence, width, height

    def _claim(self, slots: range) -> int:
        """The oldest of ``slots`` that is neither pinned nor the newest, marked as being
        written."""
        sequences = self._header[_SEQUENCES + slots.start : _SEQUENCES + slots.stop]
        for number in np.argsort(sequences, kind="stable")[: len(slots) - 1].tolist():
            before = int(sequences[number])
            sequences[number] = 0
            if int(self._header[_PIN]) != slots[number] + 1:
                return slots[number]
            sequences[number] = before
        raise AssertionError("the one reader cannot pin more than one slot")

    @contextmanager
    def reading(
        self, slot: int, sequence: int, width: int, height: int
    ) -> Iterator[np.ndarray | None]:
        """Pixels uint8 [height, width, 3], held still inside the ``with``; None when newer pixels
        have already taken the slot. Do not keep the array."""
        self._header[_PIN] = slot + 1
        try:
            fresh = int(self._header[_SEQUENCES + slot]) == sequence
            yield self._slot(slot, width, height) if fresh else None
        finally:
            self._header[_PIN] = 0

    def _slot(self, slot: int, width: int, height: int) -> np.ndarray:
        start = slot * _SLOT_BYTES
        return self._pixels[start : start + width * height * 3].reshape(height, width, 3)

    def distances(self, slot: int, width: int, height: int) -> np.ndarray:
        """float32 [height, width] written with the pixels, where there were any; as `reading`, and
        only within that."""
        start = slot * _SLOT_BYTES + _COLOR_BYTES
        raw = self._pixels[start : start + width * height * 4]
        return raw.view(np.float32).reshape(height, width)

    def unlink(self) -> None:
        """Remove the name; pixels stay readable for those who hold the ring."""
        if self._linked:
            self._linked = False
            self._memory.unlink()

    def close(self) -> None:
        """Let go of the memory (and of the name, if this side still owns it)."""
        self.unlink()
        self._header = self._pixels = np.zeros(0, np.uint8)
        with suppress(BufferError):  # somebody kept pixels: the memory goes when they do
            self._memory.close()
