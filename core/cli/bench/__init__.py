"""How fast this machine is: kernels, a training step by parts, the preview, meshing, memory.

Not here: what each part of the method contributes on captures (``tests/benchmarks``).
Tests: ``tests/core/cli/test_bench.py``.
"""

from __future__ import annotations

from typing import Any

from core.base.device import choose_device
from core.base.parallel import num_workers, parallel_map
from core.cli.bench.kernels import bench_kernels
from core.cli.bench.training import bench_training


def bench(device_name: str = "auto") -> dict[str, Any]:
    """Measure this machine as it is now; times are medians of a few repetitions.

    Returns:
        Figures by group and name.

    Raises:
        UserError: where there is no such device.
    """
    device = choose_device(device_name)
    parallel_map(lambda piece: piece, [0, 1])  # torch with one thread per worker, as in training
    return {
        "device": str(device),
        "lanes": num_workers(device),
        **bench_kernels(device),
        **bench_training(device),
    }
