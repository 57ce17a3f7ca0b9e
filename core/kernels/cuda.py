"""The kernels for NVIDIA GPUs: shaders/*.cu behind the signatures and the meaning of `reference`.

Everything is queued on torch's current stream and waits for nothing, so it can be recorded into a
CUDA graph; except the marches, which must know how many samples there are to make room for them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from core.kernels.grid_layout import GridLayout
from core.kernels.nvrtc import launch


def _ready(t: Tensor) -> Tensor:
    return t.detach().float().contiguous()


def _ranges(ray_starts: Tensor) -> Tensor:
    return ray_starts.long().contiguous()


@cache
def _on_device(levels: bytes, device: torch.device) -> Tensor:
    return torch.frombuffer(bytearray(levels), dtype=torch.int32).to(device)


def _levels(layout: GridLayout, device: torch.device) -> Tensor:
    """The structs `Level` of shaders/common.cuh."""
    rows = np.diff(layout.offsets)
    columns = [layout.resolutions, layout.offsets[:-1], rows - 1, layout.dense]
    return _on_device(np.stack(columns, 1).astype(np.uint32).tobytes(), device)


def encode(x: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor) -> Tensor:
    out = torch.empty(len(x), layout.width, device=x.device)
    launch(
        "encode",
        len(x),
        _ready(x),
        _ready(table),
        _levels(layout, x.device),
        _ready(level_weights),
        out,
        len(x),
        layout.n_features // 2,
        rows=layout.n_levels,
    )
    return out


def encode_backward(
    x: Tensor, grad: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> Tensor:
    grad_table = torch.zeros_like(table)
    launch(
        "encode_backward",
        len(x),
        _ready(x),
        _ready(grad),
        _levels(layout, x.device),
        _ready(level_weights),
        grad_table,
        len(x),
        layout.n_features // 2,
        rows=layout.n_levels,
    )
    return grad_table


def encode_gradient(
    x: Tensor, v: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> Tensor:
    out = torch.empty(len(x), 3, device=x.device)
    launch(
        "encode_gradient",
        len(x),
        _ready(x),
        _ready(v),
        _ready(table),
        _levels(layout, x.device),
        _ready(level_weights),
        out,
        len(x),
        layout.n_levels,
        layout.n_features // 2,
    )
    return out


def encode_gradient_backward(
    x: Tensor, v: Tensor, grad: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> tuple[Tensor, Tensor]:
    grad_v = torch.empty(len(x), layout.width, device=x.device)
    grad_table = torch.zeros_like(table)
    launch(
        "encode_gradient_backward",
        len(x),
        _ready(x),
        _ready(v),
        _ready(grad),
        _ready(table),
        _levels(layout, x.device),
        _ready(level_weights),
        grad_v,
        grad_table,
        len(x),
        layout.n_features // 2,
        rows=layout.n_levels,
    )
    return grad_v, grad_table


def march(
    origins: Tensor, directions: Tensor, t_near: Tensor, t_far: Tensor, occupied: Tensor, dt: float
) -> tuple[Tensor, Tensor, Tensor]:
    grid = occupied.bool().contiguous()
    rays = [_ready(t) for t in (origins, directions, t_near, t_far)]
    return _packed("march", rays, grid, len(grid), dt=float(dt))


def _packed(
    kernel: str, rays: list[Tensor], *arguments: Tensor | float, dt: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The steps of ``dt`` that ``kernel`` keeps of ``rays``. Reading the total of the counts is the
    one wait for the GPU."""
    n, device = len(rays[0]), rays[0].device
    counts = torch.empty(n, dtype=torch.long, device=device)
    nothing = 0
    launch(kernel, n, *rays, *arguments, dt, counts, nothing, nothing, n)
    ray_starts = torch.nn.functional.pad(counts.cumsum(0), (1, 0))
    starts = torch.empty(int(ray_starts[-1]), device=device)
    if len(starts):  # else its pointer is none, and the kernel would count again
        launch(kernel, n, *rays, *arguments, dt, nothing, ray_starts, starts, n)
    return starts, starts + dt, ray_starts


def march_near(
    origins: Tensor,
    directions: Tensor,
    t_near: Tensor,
    t_far: Tensor,
    distances: Tensor,
    dt: float,
    band: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    ended = torch.empty(len(t_near), dtype=torch.bool, device=t_near.device)
    rays = [_ready(t) for t in (origins, directions, t_near, t_far)]
    lattice = _ready(distances)
    kept = _packed("march_near", rays, lattice, len(lattice), ended, float(band), dt=float(dt))
    return *kept, ended


def approach(
    origins: Tensor, directions: Tensor, t: Tensor, t_end: Tensor, distances: Tensor, near: float
) -> Tensor:
    out, n = torch.empty(len(t), device=t.device), len(t)
    launch(
        "approach",
        n,
        _ready(origins),
        _ready(directions),
        _ready(t),
        _ready(t_end),
        _ready(distances),
        len(distances),
        float(near),
        out,
        n,
    )
    return out


def neus_weights(
    sdf: Tensor, t_starts: Tensor, t_ends: Tensor, ray_starts: Tensor, inv_s: float, ratio: float
) -> Tensor:
    weights, n = torch.empty(len(sdf), device=sdf.device), len(ray_starts) - 1
    launch(
        "neus_weights",
        n,
        _ready(sdf),
        _ready(t_starts),
        _ready(t_ends),
        _ranges(ray_starts),
        float(inv_s),
        float(ratio),
        weights,
        n,
    )
    return weights


def composite(alphas: Tensor, values: Tensor, ray_starts: Tensor) -> tuple[Tensor, Tensor]:
    n, channels = len(ray_starts) - 1, values.shape[1]
    weights = torch.empty(len(alphas), device=alphas.device)
    out = torch.empty(n, channels, device=alphas.device)
    launch(
        "composite",
        n * channels,
        _ready(alphas),
        _ready(values),
        _ranges(ray_starts),
        weights,
        out,
        n,
        channels,
    )
    return weights, out


def composite_backward(
    alphas: Tensor,
    values: Tensor,
    weights: Tensor,
    ray_starts: Tensor,
    grad_weights: Tensor,
    grad_out: Tensor,
) -> tuple[Tensor, Tensor]:
    n, channels = len(ray_starts) - 1, values.shape[1]
    grad_alphas = torch.empty(len(alphas), device=alphas.device)
    grad_values = torch.empty(len(values), channels, device=alphas.device)
    launch(
        "composite_backward",
        n,
        _ready(alphas),
        _ready(values),
        _ready(weights),
        _ranges(ray_starts),
        _ready(grad_weights),
        _ready(grad_out),
        grad_alphas,
        grad_values,
        n,
        channels,
    )
    return grad_alphas, grad_values
