"""The kernels and the small networks one by one, on points and rays like those of training."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.base.parallel import num_workers, parallel_map
from core.cli.bench.timing import seconds
from core.kernels import GridLayout, for_device
from core.rendering.occupancy import OccupancyGrid
from core.rendering.sampling import DENSITY_STEP, Samples, march
from core.rendering.volume import composite

POINTS = 1 << 17
RAYS = 1 << 14
BANDWIDTH_BYTES = 1 << 27
"""Size of the array that is copied."""
LEVELS, FEATURES, LOG2_ROWS, COARSEST, FINEST = 12, 2, 17, 16, 512
"""The hash grid, as in `FieldConfig`."""


def bench_kernels(device: torch.device) -> dict[str, dict[str, float]]:
    """Return figures by group: memory, encode, its scaling, MLP, march, composite."""
    bandwidth = _bandwidth(device)
    samples = _marched_samples(device)
    return {
        "memory": {"copy_gb_per_s": bandwidth / 1e9},
        "encode": _encode(device, bandwidth),
        "encode_forward_mpoints_per_s": _encode_scaling(device),
        "mlp": _mlp(device),
        "march": _march(device),
        "composite": _composite(samples, device),
    }


def _bandwidth(device: torch.device) -> float:
    """Measure a copy by all workers: bytes read and written a second."""
    source = torch.ones(BANDWIDTH_BYTES // 4, device=device)
    target = torch.empty_like(source)
    parts = list(zip(source.chunk(num_workers(device)), target.chunk(num_workers(device))))
    taken = seconds(lambda: parallel_map(lambda part: part[1].copy_(part[0]), parts), device)
    return 2 * BANDWIDTH_BYTES / taken


def _coherent_points(device: torch.device) -> Tensor:
    """Return points [POINTS, 3] in [0, 1]³, 64 along each of many short rays."""
    start, along = torch.rand(2, POINTS // 64, 1, 3, device=device)
    steps = torch.linspace(0, 1, 64, device=device)[None, :, None]
    return (0.1 + 0.8 * start + 0.1 * (along - 0.5) * steps).view(-1, 3)


class _Encoding:
    """A hash grid with random features, and points to encode."""

    def __init__(self, device: torch.device, n_levels: int, log2_rows: int) -> None:
        self.device = device
        self.layout = GridLayout.create(n_levels, FEATURES, log2_rows, COARSEST, FINEST)
        self.table = torch.randn(self.layout.n_rows, FEATURES, device=device)
        self.weights = torch.ones(n_levels, device=device)
        self.x = _coherent_points(device)
        self.grad = torch.randn(POINTS, self.layout.width, device=device)
        self.parts = torch.arange(POINTS, device=device).chunk(num_workers(device))
        self.kernels = for_device(device)

    def forward(self) -> None:
        parallel_map(
            lambda part: self.kernels.encode(self.x[part], self.table, self.layout, self.weights),
            self.parts,
        )

    def backward(self) -> None:
        parallel_map(
            lambda part: self.kernels.encode_backward(
                self.x[part], self.grad[part], self.table, self.layout, self.weights
            ),
            self.parts,
        )


def _encode(device: torch.device, bandwidth: float) -> dict[str, float]:
    """Measure points a second, and the fraction of the memory bandwidth that they amount to.

    That fraction counts the table rows read as if none came from a cache: eight corners per level,
    and twice as many to add gradients to them.
    """
    encoding = _Encoding(device, LEVELS, LOG2_ROWS)
    row_bytes = LEVELS * 8 * FEATURES * 4
    forward = POINTS / seconds(encoding.forward, device)
    backward = POINTS / seconds(encoding.backward, device)
    return {
        "forward_mpoints_per_s": forward / 1e6,
        "forward_of_bandwidth": forward * row_bytes / bandwidth,
        "backward_mpoints_per_s": backward / 1e6,
        "backward_of_bandwidth": backward * 2 * row_bytes / bandwidth,
    }


def _encode_scaling(device: torch.device) -> dict[str, float]:
    rates: dict[str, float] = {}
    for n_levels in (4, 8, 12, 16):
        encoding = _Encoding(device, n_levels, LOG2_ROWS)
        rates[f"{n_levels}_levels"] = POINTS / seconds(encoding.forward, device) / 1e6
    for log2_rows in (15, 17, 19, 21):
        encoding = _Encoding(device, LEVELS, log2_rows)
        rates[f"2^{log2_rows}_rows"] = POINTS / seconds(encoding.forward, device) / 1e6
    return rates


def _mlp(device: torch.device) -> dict[str, float]:
    """Measure a network of the SDF's size, 27 → 64 → 16, in torch."""
    network = nn.Sequential(nn.Linear(27, 64), nn.ReLU(), nn.Linear(64, 16)).to(device)
    parameters = list(network.parameters())
    parts = torch.randn(POINTS, 27, device=device).chunk(num_workers(device))

    @torch.no_grad()  # here, since each worker's thread has a mode of its own
    def evaluate(x: Tensor) -> Tensor:
        return network(x)

    def forward() -> None:
        parallel_map(evaluate, parts)

    def forward_and_backward() -> None:
        parallel_map(lambda x: torch.autograd.grad(network(x).square().mean(), parameters), parts)

    forward_s, both_s = seconds(forward, device), seconds(forward_and_backward, device)
    return {
        "forward_mpoints_per_s": POINTS / forward_s / 1e6,
        "forward_and_backward_mpoints_per_s": POINTS / both_s / 1e6,
    }


def _rays(device: torch.device) -> tuple[Tensor, Tensor, OccupancyGrid]:
    """Return origins and directions [RAYS, 3] towards the centre, and a shell to march through."""
    occupancy = OccupancyGrid(64, device)
    occupancy.update(lambda x: x.square().sum(-1).sqrt() - 0.5, 300.0)
    origins = 3 * F.normalize(torch.randn(RAYS, 3, device=device), dim=-1)
    targets = 0.5 * torch.randn(RAYS, 3, device=device)
    return origins, F.normalize(targets - origins, dim=-1), occupancy


def _marched_samples(device: torch.device) -> Samples:
    origins, directions, occupancy = _rays(device)
    return march(origins, directions, occupancy, DENSITY_STEP)


def _march(device: torch.device) -> dict[str, float]:
    origins, directions, occupancy = _rays(device)
    parts = list(zip(origins.chunk(num_workers(device)), directions.chunk(num_workers(device))))

    def call() -> list[Samples]:
        return parallel_map(lambda part: march(*part, occupancy, DENSITY_STEP), parts)

    n_samples = sum(len(part.t_starts) for part in call())
    taken = seconds(call, device)
    return {"mrays_per_s": RAYS / taken / 1e6, "msamples_per_s": n_samples / taken / 1e6}


def _composite(samples: Samples, device: torch.device) -> dict[str, float]:
    """Measure five values per sample, as in training, in one worker."""
    n = len(samples.t_starts)
    alphas = torch.rand(n, device=device).mul_(0.3).requires_grad_()
    values = torch.randn(n, 5, device=device, requires_grad=True)

    def forward() -> None:
        composite(alphas.detach(), values.detach(), samples.ray_starts)

    def forward_and_backward() -> None:
        _, out = composite(alphas, values, samples.ray_starts)
        torch.autograd.grad(out.sum(), [alphas, values])

    return {
        "forward_msamples_per_s": n / seconds(forward, device) / 1e6,
        "forward_and_backward_msamples_per_s": n / seconds(forward_and_backward, device) / 1e6,
    }
