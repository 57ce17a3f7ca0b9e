"""The benchmark on the smallest of everything: every figure is there and is one."""

import math

import pytest
import torch

from core.cli.bench import kernels, timing, training
from core.training import density_to_sdf

CPU = torch.device("cpu")


def flat(groups):
    return {
        f"{group}/{name}": value
        for group, values in groups.items()
        for name, value in values.items()
    }


def test_kernels(monkeypatch):
    for name, value in (("POINTS", 2048), ("RAYS", 256), ("BANDWIDTH_BYTES", 1 << 16)):
        monkeypatch.setattr(kernels, name, value)
    found = kernels.bench_kernels(CPU)
    assert set(found) == {
        "memory",
        "encode",
        "encode_forward_mpoints_per_s",
        "mlp",
        "march",
        "composite",
    }
    assert all(0 < value < math.inf for value in flat(found).values())
    rows = 12 * 8 * 2 * 4  # levels, corners, features, bytes of each
    share = (
        found["encode"]["forward_mpoints_per_s"]
        * 1e6
        * rows
        / (found["memory"]["copy_gb_per_s"] * 1e9)
    )
    assert found["encode"]["forward_of_bandwidth"] == pytest.approx(share)


@pytest.mark.slow
def test_a_run(monkeypatch):
    monkeypatch.setattr(training, "STEPS", 24)
    for name, value in (("FUSION_RESOLUTION", 32), ("DEPTH_MAP_SIDE", 32), ("FIT_STEPS", 20)):
        monkeypatch.setattr(density_to_sdf, name, value)
    found = training.bench_training(CPU)
    assert all(0 < value < math.inf for value in flat(found).values())
    for stage in ("step_of_warm_up", "step_of_surface"):
        step = found[stage]
        parts = sum(step[f"{name}_ms"] for name in ("march", "gradients", "update"))
        assert 0.3 * step["step_ms"] < parts < 1.5 * step["step_ms"]
        assert step["samples_per_s"] < step["culled_samples_per_s"]
    assert len(found["drawing_4096_rays_ms"]) == 3


def test_the_first_call_does_not_count():
    calls = []
    timing.seconds(lambda: calls.append(1), CPU, repeats=3)
    assert len(calls) == 4
