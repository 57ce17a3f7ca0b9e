"""The kernels for CPUs, in numba; each has the meaning of its namesake in `reference`.

Points go through the levels in chunks that stay in the cache. The backward passes run one level
per thread, so that no two threads write to the same row and nothing needs an atomic.
"""

from __future__ import annotations

import numba
import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from .layout import GridLayout

CHUNK = 1024
_Y, _Z = np.uint32(2654435761), np.uint32(805459861)
_fast = {"cache": True, "fastmath": {"contract", "nsz", "arcp", "reassoc"}, "nogil": True,
         "error_model": "numpy", "boundscheck": False}


@njit(inline="always", **_fast)
def _locate(px, py, pz, resolution, dense, size, rows, fractions):
    """Rows of the eight corners around a point, relative to the level, and its place within."""
    cells = np.float32(resolution)
    sx = min(max(px, np.float32(0)), np.float32(1)) * cells
    sy = min(max(py, np.float32(0)), np.float32(1)) * cells
    sz = min(max(pz, np.float32(0)), np.float32(1)) * cells
    ix = min(np.int32(sx), resolution - 1)
    iy = min(np.int32(sy), resolution - 1)
    iz = min(np.int32(sz), resolution - 1)
    fractions[0] = sx - ix
    fractions[1] = sy - iy
    fractions[2] = sz - iz
    if dense:
        side = resolution + 1
        base = ix + side * (iy + side * iz)
        layer = side * side
        rows[0] = base
        rows[1] = base + 1
        rows[2] = base + side
        rows[3] = base + side + 1
        rows[4] = base + layer
        rows[5] = base + layer + 1
        rows[6] = base + layer + side
        rows[7] = base + layer + side + 1
    else:
        mask = np.uint32(size - 1)
        x0 = np.uint32(ix)
        x1 = x0 + np.uint32(1)
        y0 = np.uint32(iy) * _Y
        y1 = y0 + _Y
        z0 = np.uint32(iz) * _Z
        z1 = z0 + _Z
        rows[0] = (x0 ^ y0 ^ z0) & mask
        rows[1] = (x1 ^ y0 ^ z0) & mask
        rows[2] = (x0 ^ y1 ^ z0) & mask
        rows[3] = (x1 ^ y1 ^ z0) & mask
        rows[4] = (x0 ^ y0 ^ z1) & mask
        rows[5] = (x1 ^ y0 ^ z1) & mask
        rows[6] = (x0 ^ y1 ^ z1) & mask
        rows[7] = (x1 ^ y1 ^ z1) & mask


@njit(inline="always", **_fast)
def _weights(fractions, w):
    fx, fy, fz = fractions[0], fractions[1], fractions[2]
    gx, gy, gz = np.float32(1) - fx, np.float32(1) - fy, np.float32(1) - fz
    a, b, c, d = gy * gz, fy * gz, gy * fz, fy * fz
    w[0] = gx * a
    w[1] = fx * a
    w[2] = gx * b
    w[3] = fx * b
    w[4] = gx * c
    w[5] = fx * c
    w[6] = gx * d
    w[7] = fx * d


@njit(inline="always", **_fast)
def _slopes(p, fractions, resolution, scale, d):
    """Derivatives [3, 8] of the corner weights by the point, times ``scale``."""
    fx, fy, fz = fractions[0], fractions[1], fractions[2]
    gx, gy, gz = np.float32(1) - fx, np.float32(1) - fy, np.float32(1) - fz
    r = np.float32(resolution) * scale
    rx = r if 0 < p[0] < 1 else np.float32(0)
    ry = r if 0 < p[1] < 1 else np.float32(0)
    rz = r if 0 < p[2] < 1 else np.float32(0)
    for c in range(8):
        wx = fx if c & 1 else gx
        wy = fy if c & 2 else gy
        wz = fz if c & 4 else gz
        d[0, c] = (rx if c & 1 else -rx) * wy * wz
        d[1, c] = (ry if c & 2 else -ry) * wx * wz
        d[2, c] = (rz if c & 4 else -rz) * wx * wy


@njit(parallel=True, **_fast)
def _encode(x, table, resolutions, offsets, dense, level_weights, out):
    n, n_levels, n_features = x.shape[0], len(resolutions), table.shape[1]
    for chunk in prange((n + CHUNK - 1) // CHUNK):
        rows = np.empty(8, np.int64)
        fractions = np.empty(3, np.float32)
        w = np.empty(8, np.float32)
        start, stop = chunk * CHUNK, min(chunk * CHUNK + CHUNK, n)
        for level in range(n_levels):
            scale = level_weights[level]
            column = level * n_features
            if scale == 0:
                for i in range(start, stop):
                    for f in range(n_features):
                        out[i, column + f] = 0
                continue
            offset, size = offsets[level], offsets[level + 1] - offsets[level]
            resolution = np.int32(resolutions[level])
            for i in range(start, stop):
                _locate(x[i, 0], x[i, 1], x[i, 2], resolution, dense[level], size, rows, fractions)
                _weights(fractions, w)
                for f in range(n_features):
                    s = np.float32(0)
                    for c in range(8):
                        s += w[c] * table[offset + rows[c], f]
                    out[i, column + f] = s * scale


@njit(parallel=True, **_fast)
def _encode_backward(x, grad, resolutions, offsets, dense, level_weights, grad_table):
    n, n_levels, n_features = x.shape[0], len(resolutions), grad_table.shape[1]
    for k in prange(n_levels):
        level = n_levels - 1 - k  # the hashed, slow levels first
        rows = np.empty(8, np.int64)
        fractions = np.empty(3, np.float32)
        w = np.empty(8, np.float32)
        scale = level_weights[level]
        if scale == 0:
            continue
        column = level * n_features
        offset, size = offsets[level], offsets[level + 1] - offsets[level]
        resolution = np.int32(resolutions[level])
        for i in range(n):
            _locate(x[i, 0], x[i, 1], x[i, 2], resolution, dense[level], size, rows, fractions)
            _weights(fractions, w)
            for f in range(n_features):
                g = grad[i, column + f] * scale
                for c in range(8):
                    grad_table[offset + rows[c], f] += w[c] * g


@njit(parallel=True, **_fast)
def _encode_gradient(x, v, table, resolutions, offsets, dense, level_weights, out):
    n, n_levels, n_features = x.shape[0], len(resolutions), table.shape[1]
    for chunk in prange((n + CHUNK - 1) // CHUNK):
        rows = np.empty(8, np.int64)
        fractions = np.empty(3, np.float32)
        d = np.empty((3, 8), np.float32)
        start, stop = chunk * CHUNK, min(chunk * CHUNK + CHUNK, n)
        for i in range(start, stop):
            for axis in range(3):
                out[i, axis] = 0
        for level in range(n_levels):
            scale = level_weights[level]
            if scale == 0:
                continue
            column = level * n_features
            offset, size = offsets[level], offsets[level + 1] - offsets[level]
            resolution = np.int32(resolutions[level])
            for i in range(start, stop):
                _locate(x[i, 0], x[i, 1], x[i, 2], resolution, dense[level], size, rows, fractions)
                _slopes(x[i], fractions, resolution, scale, d)
                for c in range(8):
                    s = np.float32(0)
                    for f in range(n_features):
                        s += v[i, column + f] * table[offset + rows[c], f]
                    for axis in range(3):
                        out[i, axis] += s * d[axis, c]


@njit(parallel=True, **_fast)
def _encode_gradient_backward(
    x, v, grad, table, resolutions, offsets, dense, level_weights, grad_v, grad_table
):
    n, n_levels, n_features = x.shape[0], len(resolutions), table.shape[1]
    for k in prange(n_levels):
        level = n_levels - 1 - k
        rows = np.empty(8, np.int64)
        fractions = np.empty(3, np.float32)
        d = np.empty((3, 8), np.float32)
        scale = level_weights[level]
        column = level * n_features
        if scale == 0:
            for i in range(n):
                for f in range(n_features):
                    grad_v[i, column + f] = 0
            continue
        offset, size = offsets[level], offsets[level + 1] - offsets[level]
        resolution = np.int32(resolutions[level])
        for i in range(n):
            _locate(x[i, 0], x[i, 1], x[i, 2], resolution, dense[level], size, rows, fractions)
            _slopes(x[i], fractions, resolution, scale, d)
            for f in range(n_features):
                grad_v[i, column + f] = 0
            for c in range(8):
                along = d[0, c] * grad[i, 0] + d[1, c] * grad[i, 1] + d[2, c] * grad[i, 2]
                row = offset + rows[c]
                for f in range(n_features):
                    grad_v[i, column + f] += along * table[row, f]
                    grad_table[row, f] += along * v[i, column + f]


@njit(inline="always", **_fast)
def _march_ray(o, d, near, far, occupied, dt, starts, cursor, write):
    """Walk one ray; empty cells are crossed in one stride. Returns the number of steps kept."""
    resolution = occupied.shape[0]
    half = np.float32(0.5 * resolution)
    count = 0
    n_steps = np.int64(np.floor((far - near) / dt))
    k = np.int64(0)
    while k < n_steps:
        t = near + k * dt + np.float32(0.5) * dt
        stride = np.int64(1)
        exit_t = np.float32(1e30)
        cell = (0, 0, 0)
        inside = True
        for axis in range(3):
            p = o[axis] + d[axis] * t
            if not -1 < p < 1:
                inside = False
            g = min(max((p + 1) * half, np.float32(0)), np.float32(resolution - 1))
            i = np.int64(g)
            if axis == 0:
                cell = (i, cell[1], cell[2])
            elif axis == 1:
                cell = (cell[0], i, cell[2])
            else:
                cell = (cell[0], cell[1], i)
            if d[axis] > 1e-9:
                exit_t = min(exit_t, ((i + 1) / half - 1 - p) / d[axis])
            elif d[axis] < -1e-9:
                exit_t = min(exit_t, (i / half - 1 - p) / d[axis])
        if inside and occupied[cell[0], cell[1], cell[2]]:
            if write:
                starts[cursor + count] = near + k * dt
            count += 1
        elif inside:
            # up to the last lattice step whose middle is still in this cell, rounded down
            stride = max(np.int64(1), np.int64(exit_t / dt))
        k += stride
    return count


@njit(parallel=True, **_fast)
def _march_count(origins, directions, near, far, occupied, dt, counts):
    nothing = np.empty(0, np.float32)
    for ray in prange(len(near)):
        counts[ray] = _march_ray(
            origins[ray], directions[ray], near[ray], far[ray], occupied, dt, nothing, 0, False
        )


@njit(parallel=True, **_fast)
def _march_write(origins, directions, near, far, occupied, dt, ray_starts, starts):
    for ray in prange(len(near)):
        _march_ray(
            origins[ray], directions[ray], near[ray], far[ray], occupied, dt, starts,
            ray_starts[ray], True,
        )


@njit(parallel=True, **_fast)
def _neus_weights(sdf, t_starts, t_ends, ray_starts, inv_s, ratio, weights):
    for ray in prange(len(ray_starts) - 1):
        a, b = ray_starts[ray], ray_starts[ray + 1]
        transmittance = np.float32(1)
        for i in range(a, b):
            slope = np.float32(-1)
            if b - a > 1:
                low, high = max(i - 1, a), min(i + 1, b - 1)
                between = t_starts[high] + t_ends[high] - t_starts[low] - t_ends[low]
                slope = (sdf[high] - sdf[low]) / (np.float32(0.5) * between)
            slope = min(max(slope, np.float32(-1)), np.float32(1))
            cos = -(max(0.5 - 0.5 * slope, 0.0) * (1 - ratio) + max(-slope, 0.0) * ratio)
            half = np.float32(0.5) * cos * (t_ends[i] - t_starts[i])
            before = 1 / (1 + np.exp(-(sdf[i] - half) * inv_s))
            after = 1 / (1 + np.exp(-(sdf[i] + half) * inv_s))
            alpha = min(max((before - after + 1e-5) / (before + 1e-5), 0.0), 1.0)
            weights[i] = alpha * transmittance
            transmittance *= 1 - alpha


@njit(parallel=True, **_fast)
def _composite(alphas, values, ray_starts, weights, out):
    channels = values.shape[1]
    for ray in prange(len(ray_starts) - 1):
        transmittance = np.float32(1)
        for c in range(channels):
            out[ray, c] = 0
        for i in range(ray_starts[ray], ray_starts[ray + 1]):
            w = alphas[i] * transmittance
            weights[i] = w
            transmittance *= 1 - alphas[i]
            for c in range(channels):
                out[ray, c] += w * values[i, c]


@njit(parallel=True, **_fast)
def _composite_backward(
    alphas, values, weights, ray_starts, grad_weights, grad_out, grad_alphas, grad_values
):
    channels = values.shape[1]
    for ray in prange(len(ray_starts) - 1):
        a, b = ray_starts[ray], ray_starts[ray + 1]
        run = np.float32(0)
        for i in range(b - 1, a - 1, -1):
            g = grad_weights[i]
            for c in range(channels):
                g += values[i, c] * grad_out[ray, c]
                grad_values[i, c] = weights[i] * grad_out[ray, c]
            grad_alphas[i] = g - run
            run = g * alphas[i] + (1 - alphas[i]) * run
        transmittance = np.float32(1)
        for i in range(a, b):
            grad_alphas[i] *= transmittance
            transmittance *= 1 - alphas[i]


def _np(t: Tensor, dtype: torch.dtype = torch.float32) -> np.ndarray:
    return t.detach().to(dtype).contiguous().numpy()


def _grid(layout: GridLayout, level_weights: Tensor) -> tuple[np.ndarray, ...]:
    return layout.resolutions, layout.offsets, layout.dense, _np(level_weights)


def encode(x: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor) -> Tensor:
    out = torch.empty(len(x), layout.width)
    _encode(_np(x), _np(table), *_grid(layout, level_weights), out.numpy())
    return out


def encode_backward(
    x: Tensor, grad: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> Tensor:
    grad_table = torch.zeros_like(table)
    with _balanced():
        _encode_backward(_np(x), _np(grad), *_grid(layout, level_weights), grad_table.numpy())
    return grad_table


def encode_gradient(
    x: Tensor, v: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> Tensor:
    out = torch.empty(len(x), 3)
    _encode_gradient(_np(x), _np(v), _np(table), *_grid(layout, level_weights), out.numpy())
    return out


def encode_gradient_backward(
    x: Tensor, v: Tensor, grad: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> tuple[Tensor, Tensor]:
    grad_v, grad_table = torch.empty(len(x), layout.width), torch.zeros_like(table)
    with _balanced():
        _encode_gradient_backward(
            _np(x), _np(v), _np(grad), _np(table), *_grid(layout, level_weights),
            grad_v.numpy(), grad_table.numpy(),
        )
    return grad_v, grad_table


def march(
    origins: Tensor, directions: Tensor, t_near: Tensor, t_far: Tensor, occupied: Tensor, dt: float
) -> tuple[Tensor, Tensor, Tensor]:
    rays = (_np(origins), _np(directions), _np(t_near), _np(t_far), _np(occupied, torch.bool))
    step = np.float32(dt)
    counts = np.empty(len(t_near), np.int64)
    _march_count(*rays, step, counts)
    ray_starts = np.concatenate([[0], np.cumsum(counts)])
    t_starts = np.empty(ray_starts[-1], np.float32)
    _march_write(*rays, step, ray_starts, t_starts)
    starts = torch.from_numpy(t_starts)
    return starts, starts + dt, torch.from_numpy(ray_starts)


def neus_weights(
    sdf: Tensor, t_starts: Tensor, t_ends: Tensor, ray_starts: Tensor, inv_s: float, ratio: float
) -> Tensor:
    weights = torch.empty_like(sdf)
    _neus_weights(
        _np(sdf), _np(t_starts), _np(t_ends), ray_starts.numpy(), np.float32(inv_s),
        np.float32(ratio), weights.numpy(),
    )
    return weights


def composite(alphas: Tensor, values: Tensor, ray_starts: Tensor) -> tuple[Tensor, Tensor]:
    weights = torch.empty(len(alphas))
    out = torch.empty(len(ray_starts) - 1, values.shape[1])
    _composite(_np(alphas), _np(values), ray_starts.numpy(), weights.numpy(), out.numpy())
    return weights, out


def composite_backward(
    alphas: Tensor, values: Tensor, weights: Tensor, ray_starts: Tensor,
    grad_weights: Tensor, grad_out: Tensor,
) -> tuple[Tensor, Tensor]:
    grad_alphas, grad_values = torch.empty(len(alphas)), torch.empty(len(values), values.shape[1])
    _composite_backward(
        _np(alphas), _np(values), _np(weights), ray_starts.numpy(), _np(grad_weights),
        _np(grad_out), grad_alphas.numpy(), grad_values.numpy(),
    )
    return grad_alphas, grad_values


def _balanced() -> numba.parallel_chunksize:
    """One level at a time to whichever thread is free: levels differ in cost, cores in load."""
    return numba.parallel_chunksize(1)
