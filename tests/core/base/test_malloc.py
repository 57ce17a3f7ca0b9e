"""Memory that is used over and over is not asked of the system over and over."""

import subprocess
import sys

import pytest

STEPS = """
import resource, sys
import numpy as np
from core.base.malloc import tune_malloc

def step():
    return [np.ones(1 << 20) for _ in range(3)]  # 8 MB each, 6144 pages in all

if sys.argv[1] == "kept":
    tune_malloc(2)
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a choice of GNU's C library")
def test_pieces_of_some_megabytes_serve_again():
    kept, left = (_faults(how) for how in ("kept", "left"))
    assert kept < 100
    assert kept <= left  # another allocator than GNU's may be good by itself


def _faults(how: str) -> int:
    """Pages that were asked of the system in twenty steps."""
    command = [sys.executable, "-c", STEPS, how]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


HEAPS = """
import ctypes, sys, threading
from core.base.malloc import tune_malloc

if sys.argv[1] == "shared":
    tune_malloc(2)
together = threading.Barrier(6)

def work():
    libc.malloc(1000)
    together.wait()

libc = ctypes.CDLL(None)
threads = [threading.Thread(target=work) for _ in range(6)]
[t.start() for t in threads], [t.join() for t in threads]
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fdopen(1, b"w")))
libc.fflush(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a choice of GNU's C library")
def test_threads_share_few_heaps():
    shared, apart = (
        subprocess.run(
            [sys.executable, "-c", HEAPS, how], capture_output=True, check=True
        ).stdout.count(b"<heap ")
        for how in ("shared", "apart")
    )
    assert shared <= 2
    assert shared <= apart  # another allocator than GNU's has its own ways
