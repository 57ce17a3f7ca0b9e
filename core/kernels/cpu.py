"""The kernels for CPUs, in numba; each has the meaning of its namesake in `reference`.

Each call runs on one thread without the GIL: many cores are used by many calls (`core.lanes`),
which waits for nobody when a core is shared, where OpenMP's even shares and barriers collapse.
Points go through the levels in chunks that stay in the cache, level after level.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from .layout import GridLayout

CHUNK = 1024
_Y, _Z = np.uint32(2654435761), np.uint32(805459861)
_fast = {"cache": True, "fastmath": {"contract", "nsz", "arcp", "reassoc"}, "nogil": True,
         "error_model": "numpy", "boundscheck": False}


@njit(inline="always", **_fast)
def _cell(p, resolution):
    """The cell of a coordinate along one axis and the place within it."""
    s = min(max(p, np.float32(0)), np.float32(1)) * np.float32(resolution)
    i = min(np.int32(s), resolution - np.int32(1))
    return i, s - np.float32(i)


@njit(inline="always", **_fast)
def _rows(ix, iy, iz, resolution, dense, mask, offset):
    """Rows of the table of the eight corners of a cell, x fastest."""
    if dense:
        side = np.int64(resolution) + 1
        r0 = offset + ix + side * (iy + side * iz)
        r2 = r0 + side
        r4 = r0 + side * side
        r6 = r4 + side
        return r0, r0 + 1, r2, r2 + 1, r4, r4 + 1, r6, r6 + 1
    x0, y0, z0 = np.uint32(ix), np.uint32(iy) * _Y, np.uint32(iz) * _Z
    x1, y1, z1 = x0 + np.uint32(1), y0 + _Y, z0 + _Z
    a, b, c, d = y0 ^ z0, y1 ^ z0, y0 ^ z1, y1 ^ z1
    return (
        offset + np.int64((x0 ^ a) & mask), offset + np.int64((x1 ^ a) & mask),
        offset + np.int64((x0 ^ b) & mask), offset + np.int64((x1 ^ b) & mask),
        offset + np.int64((x0 ^ c) & mask), offset + np.int64((x1 ^ c) & mask),
        offset + np.int64((x0 ^ d) & mask), offset + np.int64((x1 ^ d) & mask),
    )


@njit(inline="always", **_fast)
def _trilinear(fx, fy, fz):
    """Weights of the eight corners, x fastest."""
    gx, gy, gz = np.float32(1) - fx, np.float32(1) - fy, np.float32(1) - fz
    a, b, c, d = gy * gz, fy * gz, gy * fz, fy * fz
    return gx * a, fx * a, gx * b, fx * b, gx * c, fx * c, gx * d, fx * d


@njit(inline="always", **_fast)
def _slope(p, resolution, scale):
    """d(place in the cell)/d(coordinate), 0 where the coordinate is clamped."""
    return np.float32(resolution) * scale if 0 < p < 1 else np.float32(0)


@njit(**_fast)
def _encode(x, table, resolutions, offsets, dense, level_weights, out):
    n, n_features = x.shape[0], table.shape[1]
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        for level in range(len(resolutions)):
            scale = level_weights[level]
            column = level * n_features
            if scale == 0:
                out[start:stop, column : column + n_features] = 0
                continue
            offset = offsets[level]
            mask = np.uint32(offsets[level + 1] - offset - 1)
            resolution = np.int32(resolutions[level])
            is_dense = dense[level]
            for i in range(start, stop):
                ix, fx = _cell(x[i, 0], resolution)
                iy, fy = _cell(x[i, 1], resolution)
                iz, fz = _cell(x[i, 2], resolution)
                r0, r1, r2, r3, r4, r5, r6, r7 = _rows(
                    ix, iy, iz, resolution, is_dense, mask, offset
                )
                w0, w1, w2, w3, w4, w5, w6, w7 = _trilinear(fx, fy, fz)
                w0, w1, w2, w3 = w0 * scale, w1 * scale, w2 * scale, w3 * scale
                w4, w5, w6, w7 = w4 * scale, w5 * scale, w6 * scale, w7 * scale
                for f in range(0, n_features, 2):  # pairs: one load of 8 bytes each
                    a = w0 * table[r0, f] + w1 * table[r1, f]
                    b = w0 * table[r0, f + 1] + w1 * table[r1, f + 1]
                    a += w2 * table[r2, f] + w3 * table[r3, f]
                    b += w2 * table[r2, f + 1] + w3 * table[r3, f + 1]
                    a += w4 * table[r4, f] + w5 * table[r5, f]
                    b += w4 * table[r4, f + 1] + w5 * table[r5, f + 1]
                    a += w6 * table[r6, f] + w7 * table[r7, f]
                    b += w6 * table[r6, f + 1] + w7 * table[r7, f + 1]
                    out[i, column + f] = a
                    out[i, column + f + 1] = b


@njit(**_fast)
def _encode_backward(x, grad, resolutions, offsets, dense, level_weights, grad_table):
    n, n_features = x.shape[0], grad_table.shape[1]
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        for level in range(len(resolutions)):
            scale = level_weights[level]
            if scale == 0:
                continue
            column = level * n_features
            offset = offsets[level]
            mask = np.uint32(offsets[level + 1] - offset - 1)
            resolution = np.int32(resolutions[level])
            is_dense = dense[level]
            for i in range(start, stop):
                ix, fx = _cell(x[i, 0], resolution)
                iy, fy = _cell(x[i, 1], resolution)
                iz, fz = _cell(x[i, 2], resolution)
                r0, r1, r2, r3, r4, r5, r6, r7 = _rows(
                    ix, iy, iz, resolution, is_dense, mask, offset
                )
                w0, w1, w2, w3, w4, w5, w6, w7 = _trilinear(fx, fy, fz)
                for f in range(0, n_features, 2):
                    a = scale * grad[i, column + f]
                    b = scale * grad[i, column + f + 1]
                    grad_table[r0, f] += w0 * a
                    grad_table[r0, f + 1] += w0 * b
                    grad_table[r1, f] += w1 * a
                    grad_table[r1, f + 1] += w1 * b
                    grad_table[r2, f] += w2 * a
                    grad_table[r2, f + 1] += w2 * b
                    grad_table[r3, f] += w3 * a
                    grad_table[r3, f + 1] += w3 * b
                    grad_table[r4, f] += w4 * a
                    grad_table[r4, f + 1] += w4 * b
                    grad_table[r5, f] += w5 * a
                    grad_table[r5, f + 1] += w5 * b
                    grad_table[r6, f] += w6 * a
                    grad_table[r6, f + 1] += w6 * b
                    grad_table[r7, f] += w7 * a
                    grad_table[r7, f + 1] += w7 * b


@njit(**_fast)
def _encode_gradient(x, v, table, resolutions, offsets, dense, level_weights, out):
    n, n_features = x.shape[0], table.shape[1]
    out[:] = 0
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        for level in range(len(resolutions)):
            scale = level_weights[level]
            if scale == 0:
                continue
            column = level * n_features
            offset = offsets[level]
            mask = np.uint32(offsets[level + 1] - offset - 1)
            resolution = np.int32(resolutions[level])
            is_dense = dense[level]
            for i in range(start, stop):
                ix, fx = _cell(x[i, 0], resolution)
                iy, fy = _cell(x[i, 1], resolution)
                iz, fz = _cell(x[i, 2], resolution)
                rows = _rows(ix, iy, iz, resolution, is_dense, mask, offset)
                gx, gy, gz = np.float32(1) - fx, np.float32(1) - fy, np.float32(1) - fz
                s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = np.float32(0)
                for f in range(n_features):
                    vf = v[i, column + f]
                    s0 += vf * table[rows[0], f]
                    s1 += vf * table[rows[1], f]
                    s2 += vf * table[rows[2], f]
                    s3 += vf * table[rows[3], f]
                    s4 += vf * table[rows[4], f]
                    s5 += vf * table[rows[5], f]
                    s6 += vf * table[rows[6], f]
                    s7 += vf * table[rows[7], f]
                a, b, c, d = gy * gz, fy * gz, gy * fz, fy * fz
                out[i, 0] += _slope(x[i, 0], resolution, scale) * (
                    a * (s1 - s0) + b * (s3 - s2) + c * (s5 - s4) + d * (s7 - s6)
                )
                a, b, c, d = gx * gz, fx * gz, gx * fz, fx * fz
                out[i, 1] += _slope(x[i, 1], resolution, scale) * (
                    a * (s2 - s0) + b * (s3 - s1) + c * (s6 - s4) + d * (s7 - s5)
                )
                a, b, c, d = gx * gy, fx * gy, gx * fy, fx * fy
                out[i, 2] += _slope(x[i, 2], resolution, scale) * (
                    a * (s4 - s0) + b * (s5 - s1) + c * (s6 - s2) + d * (s7 - s3)
                )


@njit(**_fast)
def _encode_gradient_backward(
    x, v, grad, table, resolutions, offsets, dense, level_weights, grad_v, grad_table
):
    n, n_features = x.shape[0], table.shape[1]
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        for level in range(len(resolutions)):
            scale = level_weights[level]
            column = level * n_features
            if scale == 0:
                grad_v[start:stop, column : column + n_features] = 0
                continue
            offset = offsets[level]
            mask = np.uint32(offsets[level + 1] - offset - 1)
            resolution = np.int32(resolutions[level])
            is_dense = dense[level]
            for i in range(start, stop):
                ix, fx = _cell(x[i, 0], resolution)
                iy, fy = _cell(x[i, 1], resolution)
                iz, fz = _cell(x[i, 2], resolution)
                r0, r1, r2, r3, r4, r5, r6, r7 = _rows(
                    ix, iy, iz, resolution, is_dense, mask, offset
                )
                gx, gy, gz = np.float32(1) - fx, np.float32(1) - fy, np.float32(1) - fz
                px = _slope(x[i, 0], resolution, scale) * grad[i, 0]
                py = _slope(x[i, 1], resolution, scale) * grad[i, 1]
                pz = _slope(x[i, 2], resolution, scale) * grad[i, 2]
                # d(corner weight)/dx · grad, the corner's three one-axis terms added up
                w0 = -px * gy * gz - py * gx * gz - pz * gx * gy
                w1 = px * gy * gz - py * fx * gz - pz * fx * gy
                w2 = -px * fy * gz + py * gx * gz - pz * gx * fy
                w3 = px * fy * gz + py * fx * gz - pz * fx * fy
                w4 = -px * gy * fz - py * gx * fz + pz * gx * gy
                w5 = px * gy * fz - py * fx * fz + pz * fx * gy
                w6 = -px * fy * fz + py * gx * fz + pz * gx * fy
                w7 = px * fy * fz + py * fx * fz + pz * fx * fy
                for f in range(n_features):
                    grad_v[i, column + f] = (
                        w0 * table[r0, f] + w1 * table[r1, f] + w2 * table[r2, f]
                        + w3 * table[r3, f] + w4 * table[r4, f] + w5 * table[r5, f]
                        + w6 * table[r6, f] + w7 * table[r7, f]
                    )
                    g = v[i, column + f]
                    grad_table[r0, f] += w0 * g
                    grad_table[r1, f] += w1 * g
                    grad_table[r2, f] += w2 * g
                    grad_table[r3, f] += w3 * g
                    grad_table[r4, f] += w4 * g
                    grad_table[r5, f] += w5 * g
                    grad_table[r6, f] += w6 * g
                    grad_table[r7, f] += w7 * g


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


@njit(**_fast)
def _march_count(origins, directions, near, far, occupied, dt, counts):
    nothing = np.empty(0, np.float32)
    for ray in range(len(near)):
        counts[ray] = _march_ray(
            origins[ray], directions[ray], near[ray], far[ray], occupied, dt, nothing, 0, False
        )


@njit(**_fast)
def _march_write(origins, directions, near, far, occupied, dt, ray_starts, starts):
    for ray in range(len(near)):
        _march_ray(
            origins[ray], directions[ray], near[ray], far[ray], occupied, dt, starts,
            ray_starts[ray], True,
        )


@njit(**_fast)
def _neus_weights(sdf, t_starts, t_ends, ray_starts, inv_s, ratio, weights):
    for ray in range(len(ray_starts) - 1):
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


@njit(**_fast)
def _composite(alphas, values, ray_starts, weights, out):
    channels = values.shape[1]
    for ray in range(len(ray_starts) - 1):
        transmittance = np.float32(1)
        for c in range(channels):
            out[ray, c] = 0
        for i in range(ray_starts[ray], ray_starts[ray + 1]):
            w = alphas[i] * transmittance
            weights[i] = w
            transmittance *= 1 - alphas[i]
            for c in range(channels):
                out[ray, c] += w * values[i, c]


@njit(**_fast)
def _composite_backward(
    alphas, values, weights, ray_starts, grad_weights, grad_out, grad_alphas, grad_values
):
    channels = values.shape[1]
    for ray in range(len(ray_starts) - 1):
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


def _grid(layout: GridLayout, level_weights: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return layout.resolutions, layout.offsets, layout.dense, _np(level_weights)


def encode(x: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor) -> Tensor:
    out = torch.empty(len(x), layout.width)
    _encode(_np(x), _np(table), *_grid(layout, level_weights), out.numpy())
    return out


def encode_backward(
    x: Tensor, grad: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> Tensor:
    grad_table = torch.zeros_like(table)
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

