import multiprocessing
import os
import signal
import time
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
import pytest

from core.protocol.pixel_ring import MAX_PIXELS, N_SLOTS, PreviewRing


@pytest.fixture
def ends():
    reader = PreviewRing.create()
    writer = PreviewRing.attach(reader.name)
    yield reader, writer
    writer.close()
    reader.close()


def _image(value: int, height: int = 4, width: int = 6) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_what_is_written_is_read(ends):
    reader, writer = ends
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    slot, sequence, width, height = writer.write(image)
    assert (width, height) == (6, 4)
    with reader.reading(slot, sequence, width, height) as pixels:
        assert np.array_equal(pixels, image)


def test_distances_travel_with_the_pixels(ends):
    reader, writer = ends
    distances = np.arange(24, dtype=np.float32).reshape(4, 6)
    slot, sequence, width, height = writer.write(_image(3), distances=distances)
    with reader.reading(slot, sequence, width, height) as pixels:
        assert (pixels == 3).all()
        assert np.array_equal(reader.distances(slot, width, height), distances)
    writer.write(_image(4, 2160, 3840), distances=np.zeros((2160, 3840), np.float32))


def test_a_slot_is_not_overwritten_while_it_is_read(ends):
    reader, writer = ends
    slot, sequence, width, height = writer.write(_image(7))
    with reader.reading(slot, sequence, width, height) as pixels:
        for value in range(50, 50 + 5 * N_SLOTS):
            assert writer.write(_image(value))[0] != slot
        assert (pixels == 7).all()


def test_the_newest_survives_the_next_write_and_stale_pixels_are_refused(ends):
    reader, writer = ends
    first = writer.write(_image(1))
    second = writer.write(_image(2))
    assert second[0] != first[0]
    for value in range(3, 3 + N_SLOTS):
        writer.write(_image(value))
    with reader.reading(*first) as pixels:
        assert pixels is None


def test_an_image_beyond_the_capacity_is_thinned(ends):
    reader, writer = ends
    slot, sequence, width, height = writer.write(_image(9, 2160, 3840))
    assert width * height <= MAX_PIXELS
    assert (width, height) == (1920, 1080)
    with reader.reading(slot, sequence, width, height) as pixels:
        assert (pixels == 9).all()


def test_the_name_can_go_once_the_writer_is_attached():
    reader = PreviewRing.create()
    assert not reader.attached
    writer = PreviewRing.attach(reader.name)
    assert reader.attached
    reader.unlink()
    with pytest.raises(FileNotFoundError):
        shared_memory.SharedMemory(name=reader.name)
    written = writer.write(_image(3))
    with reader.reading(*written) as pixels:
        assert (pixels == 3).all()
        del pixels
    writer.close()
    reader.close()


def _write_for_ever(name: str) -> None:
    ring = PreviewRing.attach(name)
    value = 0
    while True:
        value = (value + 1) % 250
        ring.write(_image(value, 300, 400))


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="looks into /dev/shm")
def test_no_torn_pixels_and_nothing_left_when_the_writer_is_killed():
    ring = PreviewRing.create()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_write_for_ever, args=(ring.name,))
    process.start()
    try:
        deadline = time.monotonic() + 30
        seen: set[int] = set()
        while len(seen) < 50 and time.monotonic() < deadline:
            sequences = ring._header[2 : 2 + N_SLOTS].copy()
            slot = int(np.argmax(sequences))
            if not sequences[slot]:
                continue
            with ring.reading(slot, int(sequences[slot]), 400, 300) as pixels:
                if pixels is not None:
                    first = pixels.copy()
                    assert (first == first[0, 0, 0]).all()
                    assert np.array_equal(first, pixels)
                    seen.add(int(first[0, 0, 0]))
                del pixels
        assert len(seen) >= 50
    finally:
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    name = ring.name
    ring.close()
    assert not Path("/dev/shm", name.lstrip("/")).exists()


def test_an_image_or_distances_of_a_wrong_shape_are_refused():
    ring = PreviewRing.create()
    try:
        with pytest.raises(ValueError, match="image"):
            ring.write(np.zeros((4, 5), np.uint8))
        with pytest.raises(ValueError, match="distances"):
            ring.write(_image(1, 4, 5), distances=np.zeros((5, 4), np.float32))
    finally:
        ring.close()
