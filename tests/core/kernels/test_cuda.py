"""Compiling, keeping and choosing the CUDA kernels; what they compute is in test_kernels."""

import logging
import re
import sys
import threading
from pathlib import Path

import pytest
import torch

import shaders
from core.field.hash_grid import HashGrid
from core.kernels import GridLayout, cuda, for_device, nvrtc, reference, why_slow

GPU = torch.device("cuda")
on_a_gpu = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no NVIDIA GPU can be used by this torch"
)

compiles = pytest.mark.skipif(sys.platform == "darwin", reason="NVIDIA has no compiler for macOS")


@pytest.fixture
def cache_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(nvrtc, "kernel_cache", lambda: tmp_path)
    return tmp_path


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@compiles
@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_89", "sm_90", "sm_120"])
def test_every_kernel_compiles_for(architecture, cache_folder):
    names = re.findall(r"__global__ void (\w+)\(", nvrtc.source())
    assert len(names) == 10
    code = nvrtc.compile_for(architecture).code
    assert code.startswith(b"\x7fELF")
    for name in names:
        assert f".text.{name}\0".encode() in code


@compiles
def test_an_error_names_the_file_and_the_line(cache_folder, monkeypatch):
    broken = nvrtc.source().replace("bool inside", "boot inside")
    monkeypatch.setattr(nvrtc, "source", lambda: broken)
    lines = (Path(shaders.__path__[0]) / "march.cu").read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if "bool inside" in text)
    with pytest.raises(Exception, match=rf"march\.cu\({line}\): error"):
        nvrtc.compile_for("sm_80")


@compiles
def test_what_was_compiled_is_kept_by_source_and_architecture(cache_folder, monkeypatch):
    nvrtc.compile_for("sm_80")
    (entry,) = kept(cache_folder)
    entry.write_bytes(b"kept")
    assert nvrtc.compile_for("sm_80").code == b"kept"
    assert nvrtc.compile_for("sm_90").code != b"kept"
    text = nvrtc.source()
    monkeypatch.setattr(nvrtc, "source", lambda: text + "\n// newer")
    assert nvrtc.compile_for("sm_80").code != b"kept"
    assert len(kept(cache_folder)) == 3


@compiles
def test_a_cache_nobody_can_write_to_does_not_stop_the_compiler(cache_folder, monkeypatch):
    (cache_folder / "file").touch()
    monkeypatch.setattr(nvrtc, "kernel_cache", lambda: cache_folder / "file" / "kernels")
    assert nvrtc.compile_for("sm_80").code.startswith(b"\x7fELF")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError("No module named 'cuda'"), "No module named 'cuda'; pip install"),
        (RuntimeError("CUDA_ERROR_X: no\nand more"), "RuntimeError: CUDA_ERROR_X: no"),
    ],
)
def test_the_reference_takes_over_where_a_kernel_fails(error, reason, monkeypatch, caplog):
    def fail(device):
        raise error

    monkeypatch.setattr(nvrtc, "_try", fail)
    nvrtc.why_not.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert for_device(GPU) is reference
            assert for_device(GPU) is reference
        assert (why_slow(GPU) or "").startswith(reason)
        (notice,) = caplog.messages
        assert reason in notice
        assert "\n" not in notice
    finally:
        nvrtc.why_not.cache_clear()


def test_a_working_gpu_is_served_by_the_kernels(monkeypatch):
    monkeypatch.setattr(nvrtc, "_try", lambda device: None)
    nvrtc.why_not.cache_clear()
    try:
        assert for_device(GPU) is cuda
        assert why_slow(GPU) is None
    finally:
        nvrtc.why_not.cache_clear()


def test_other_processors_have_the_reference_and_a_reason():
    assert for_device(torch.device("mps")) is reference
    assert "mps" in (why_slow(torch.device("mps")) or "")
    assert why_slow(torch.device("cpu")) is None


@on_a_gpu
def test_this_gpu_runs_the_kernels():
    assert why_slow(GPU) is None


@on_a_gpu
def test_a_thread_that_never_met_the_gpu_can_launch():
    alphas, ray_starts = torch.rand(9, device=GPU), torch.tensor([0, 4, 9], device=GPU)
    found = []
    thread = threading.Thread(
        target=lambda: found.append(cuda.composite(alphas, alphas[:, None], ray_starts)[1])
    )
    thread.start()
    thread.join()
    expected = reference.composite(alphas.cpu(), alphas.cpu()[:, None], ray_starts.cpu())[1]
    torch.testing.assert_close(found[0].cpu(), expected)


@on_a_gpu
def test_encoding_and_its_gradient_can_be_recorded_in_a_graph():
    """Which fails for anything that waits for the GPU or goes to another stream."""
    grid = HashGrid(GridLayout.create(4, 2, 10, 4, 40)).to(GPU)
    x = torch.rand(500, 3, device=GPU)

    def gradient():
        return torch.autograd.grad(grid(x, 4).square().sum(), grid.table)[0]

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # what is compiled or copied once has to be there already
        gradient()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        recorded = gradient()
    x.copy_(torch.rand(500, 3))
    graph.replay()
    torch.testing.assert_close(recorded, gradient(), rtol=1e-4, atol=1e-6)
