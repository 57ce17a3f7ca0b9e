"""The kernels along rays in numba. Arguments and meaning: `reference`; arrays are float32."""

import numpy as np
from numba import njit

from .numba_grid import FAST


@njit(inline="always", **FAST)
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


@njit(**FAST)
def march_count(origins, directions, near, far, occupied, dt, counts):
    nothing = np.empty(0, np.float32)
    for ray in range(len(near)):
        counts[ray] = _march_ray(
            origins[ray], directions[ray], near[ray], far[ray], occupied, dt, nothing, 0, False
        )


@njit(**FAST)
def march_write(origins, directions, near, far, occupied, dt, ray_starts, starts):
    for ray in range(len(near)):
        _march_ray(
            origins[ray], directions[ray], near[ray], far[ray], occupied, dt, starts,
            ray_starts[ray], True,
        )


@njit(**FAST)
def neus_weights(sdf, t_starts, t_ends, ray_starts, inv_s, ratio, weights):
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


@njit(**FAST)
def composite(alphas, values, ray_starts, weights, out):
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


@njit(**FAST)
def composite_backward(
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
