"""The backends that are held to the reference."""

from types import ModuleType

import pytest
import torch

from core.kernels import cpu, cuda, nvrtc
from tests.core.kernels import host


@pytest.fixture(scope="session")
def host_launch(tmp_path_factory):
    """Runs shaders/*.cu on the CPU in place of `nvrtc.launch`."""
    if host.compiler() is None:
        pytest.skip("no C++ compiler was found to run shaders/*.cu on the CPU")
    return host.build(tmp_path_factory.mktemp("host_kernels"))


@pytest.fixture(params=["numba", "cuda-host-shim", "cuda"])
def backend_name(request) -> str:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no NVIDIA GPU can be used by this torch")
    return request.param


@pytest.fixture
def device(backend_name) -> torch.device:
    return torch.device("cuda" if backend_name == "cuda" else "cpu")


@pytest.fixture
def backend(backend_name, device, request, monkeypatch) -> ModuleType:
    """The module whose functions take tensors on `device`."""
    if backend_name == "numba":
        return cpu
    if backend_name == "cuda-host-shim":
        monkeypatch.setattr(cuda, "launch", request.getfixturevalue("host_launch"))
    else:
        assert nvrtc.why_not(device) is None
    return cuda
