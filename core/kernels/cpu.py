"""The kernels for CPUs: numba behind the signatures and the meaning of `reference`.

Each call runs on one thread without the GIL: many cores are used by many calls
(`core.base.parallel`), which waits for nobody when a core is shared, where OpenMP's even shares and
barriers collapse.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.kernels import numba_grid, numba_rays
from core.kernels.grid_layout import GridLayout


def _np(t: Tensor, dtype: torch.dtype = torch.float32) -> np.ndarray:
    return t.detach().to(dtype).contiguous().numpy()


def _grid(
    layout: GridLayout, level_weights: Tensor
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return layout.resolutions, layout.offsets, layout.dense, _np(level_weights)


def _zeros(table: Tensor) -> Tensor:
    """Of the table's shape. numpy asks the system for large pages that are zero already, where
    torch fills small ones one after the other: a fifth of the time of a step's gradients."""
    return torch.from_numpy(np.zeros(table.shape, np.float32))


def encode(x: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor) -> Tensor:
    out = torch.empty(len(x), layout.width)
    numba_grid.encode(_np(x), _np(table), *_grid(layout, level_weights), out.numpy())
    return out


def encode_backward(
    x: Tensor, grad: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> Tensor:
    grad_table = _zeros(table)
    numba_grid.encode_backward(_np(x), _np(grad), *_grid(layout, level_weights), grad_table.numpy())
    return grad_table


def encode_gradient(
    x: Tensor, v: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> Tensor:
    out = torch.empty(len(x), 3)
    numba_grid.encode_gradient(
        _np(x), _np(v), _np(table), *_grid(layout, level_weights), out.numpy()
    )
    return out


def encode_gradient_backward(
    x: Tensor, v: Tensor, grad: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> tuple[Tensor, Tensor]:
    grad_v, grad_table = torch.empty(len(x), layout.width), _zeros(table)
    numba_grid.encode_gradient_backward(
        _np(x),
        _np(v),
        _np(grad),
        _np(table),
        *_grid(layout, level_weights),
        grad_v.numpy(),
        grad_table.numpy(),
    )
    return grad_v, grad_table


def march(
    origins: Tensor, directions: Tensor, t_near: Tensor, t_far: Tensor, occupied: Tensor, dt: float
) -> tuple[Tensor, Tensor, Tensor]:
    rays = (_np(origins), _np(directions), _np(t_near), _np(t_far), _np(occupied, torch.bool))
    step = np.float32(dt)
    ray_starts, t_starts = _room(t_near, t_far, dt)
    numba_rays.march(*rays, step, ray_starts, t_starts)
    starts = torch.from_numpy(t_starts[: ray_starts[-1]].copy())
    return starts, starts + dt, torch.from_numpy(ray_starts)


def _room(t_near: Tensor, t_far: Tensor, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """For the ranges of rays and for all their steps; what is not written to takes no memory."""
    most = float((t_far - t_near).clamp(min=0).sum(dtype=torch.float64)) / dt
    return np.empty(len(t_near) + 1, np.int64), np.empty(int(most) + 1, np.float32)


def march_near(
    origins: Tensor,
    directions: Tensor,
    t_near: Tensor,
    t_far: Tensor,
    distances: Tensor,
    dt: float,
    band: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    ray_starts, t_starts = _room(t_near, t_far, dt)
    ended = np.empty(len(t_near), np.bool_)
    numba_rays.march_near(
        _np(origins),
        _np(directions),
        _np(t_near),
        _np(t_far),
        _np(distances),
        np.float32(dt),
        np.float32(band),
        ray_starts,
        t_starts,
        ended,
    )
    starts = torch.from_numpy(t_starts[: ray_starts[-1]].copy())
    return starts, starts + dt, torch.from_numpy(ray_starts), torch.from_numpy(ended)


def approach(
    origins: Tensor, directions: Tensor, t: Tensor, t_end: Tensor, distances: Tensor, near: float
) -> Tensor:
    out = torch.empty_like(t)
    numba_rays.approach(
        _np(origins),
        _np(directions),
        _np(t),
        _np(t_end),
        _np(distances),
        np.float32(near),
        out.numpy(),
    )
    return out


def neus_weights(
    sdf: Tensor, t_starts: Tensor, t_ends: Tensor, ray_starts: Tensor, inv_s: float, ratio: float
) -> Tensor:
    weights = torch.empty_like(sdf)
    numba_rays.neus_weights(
        _np(sdf),
        _np(t_starts),
        _np(t_ends),
        ray_starts.numpy(),
        np.float32(inv_s),
        np.float32(ratio),
        weights.numpy(),
    )
    return weights


def composite(alphas: Tensor, values: Tensor, ray_starts: Tensor) -> tuple[Tensor, Tensor]:
    weights = torch.empty(len(alphas))
    out = torch.empty(len(ray_starts) - 1, values.shape[1])
    numba_rays.composite(_np(alphas), _np(values), ray_starts.numpy(), weights.numpy(), out.numpy())
    return weights, out


def composite_backward(
    alphas: Tensor,
    values: Tensor,
    weights: Tensor,
    ray_starts: Tensor,
    grad_weights: Tensor,
    grad_out: Tensor,
) -> tuple[Tensor, Tensor]:
    grad_alphas, grad_values = torch.empty(len(alphas)), torch.empty(len(values), values.shape[1])
    numba_rays.composite_backward(
        _np(alphas),
        _np(values),
        _np(weights),
        ray_starts.numpy(),
        _np(grad_weights),
        _np(grad_out),
        grad_alphas.numpy(),
        grad_values.numpy(),
    )
    return grad_alphas, grad_values
