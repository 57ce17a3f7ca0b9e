"""Preview pixels between two processes: a few slots in shared memory, one writer, one reader.

Layout: 64 header numbers (uint64), then the slots. Header: [0] the reader's pin (slot + 1, 0 for
none), [1] set once the writer is attached, [2 + slot] the sequence number of what the slot holds
(0 while it is being written). The writer first marks a slot as being written and then looks at
the pin; the reader first pins and then looks at the sequence number: whoever comes second sees
the other and steps back, so a slot is never overwritten while it is read.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from multiprocessing import shared_memory

import numpy as np

from core.base.shapes import check_shapes

PREVIEWS = range(4)
"""Slots of previews, which follow each other quickly."""
PHOTOS = range(4, 7)
"""Slots of photos, which are written once and displayed for long."""
N_SLOTS = len(PREVIEWS) + len(PHOTOS)
MAX_PIXELS = 1920 * 1080
"""Largest image that a slot holds."""
_HEADER_BYTES = 64 * 8
_COLOR_BYTES = MAX_PIXELS * 3
_SLOT_BYTES = _COLOR_BYTES + MAX_PIXELS * 4
_PIN, _ATTACHED, _SEQUENCES = 0, 1, 2


class PreviewRing:
    """Ring of image slots in shared memory.

    The reader creates the ring (`create`) and owns it; the writer attaches to it by name
    (`attach`). The name can be removed (`unlink`) as soon as the writer is `attached`: the memory
    then lives exactly as long as the processes that hold it, however they end.
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
        """Create a ring with a new name, as its reader."""
        size = _HEADER_BYTES + N_SLOTS * _SLOT_BYTES
        ring = cls(shared_memory.SharedMemory(create=True, size=size))
        ring._linked = True
        return ring

    @classmethod
    def attach(cls, name: str) -> PreviewRing:
        """Attach to the ring of this ``name``, as its writer."""
        ring = cls(shared_memory.SharedMemory(name=name))
        ring._header[_ATTACHED] = 1
        return ring

    @property
    def name(self) -> str:
        """Name of the shared memory."""
        return self._memory.name

    @property
    def attached(self) -> bool:
        """Whether the writer has attached to the ring."""
        return bool(self._header[_ATTACHED])

    def write(
        self, image: np.ndarray, slots: range = PREVIEWS, distances: np.ndarray | None = None
    ) -> tuple[int, int, int, int]:
        """Write an image into the oldest free slot.

        An image beyond `MAX_PIXELS` is subsampled by a whole stride, so its size is returned.

        Args:
            image: uint8 [H, W, 3].
            slots: the slots to choose from.
            distances: along the ray of each pixel, float32 [H, W]; None for none.

        Returns:
            (slot, sequence number, width, height).
        """
        check_shapes(image=(image, "H W 3"))
        if distances is not None:
            check_shapes(image=(image, "H W 3"), distances=(distances, "H W"))
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
        """Mark the oldest of ``slots`` that is neither pinned nor the newest as being written."""
        sequences = self._header[_SEQUENCES + slots.start : _SEQUENCES + slots.stop]
        for number in map(int, np.argsort(sequences, kind="stable")[: len(slots) - 1]):
            before = int(sequences[number])
            sequences[number] = 0
            if int(self._header[_PIN]) != slots[number] + 1:
                return slots[number]
            sequences[number] = before
        raise AssertionError("the one reader cannot pin more than one slot")

    @contextmanager
    def reading(
        self, slot: int, sequence: int, width: int, height: int
    ) -> Generator[np.ndarray | None, None, None]:
        """Pin a slot and yield its pixels, which are valid inside the ``with`` only.

        Args:
            slot: the slot, as `write` returned it.
            sequence: the sequence number under which it was written.
            width: of the image, pixels.
            height: of the image, pixels.

        Yields:
            uint8 [height, width, 3]; None when newer pixels have taken the slot.
        """
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
        """Return the distances float32 [height, width] of a slot; valid within `reading` only."""
        start = slot * _SLOT_BYTES + _COLOR_BYTES
        raw = self._pixels[start : start + width * height * 4]
        return raw.view(np.float32).reshape(height, width)

    def unlink(self) -> None:
        """Remove the name; processes that hold the ring can still use it."""
        if self._linked:
            self._linked = False
            self._memory.unlink()

    def close(self) -> None:
        """Release the memory, and the name if this side owns it."""
        self.unlink()
        self._header = self._pixels = np.zeros(0, np.uint8)
        with suppress(BufferError):  # somebody kept pixels: the memory goes when they do
            self._memory.close()
