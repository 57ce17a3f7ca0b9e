"""The kernels along rays in numba. Arguments and meaning: `reference`; arrays are float32."""

import numpy as np
from numba import njit

from core.kernels.numba_grid import FAST


@njit(inline="always", **FAST)
def _to_exit(p, d, i, half):
    """How far along the ray the cell ``i`` of one axis ends."""
    if d > 1e-9:
        return ((i + 1) / half - 1 - p) / d
    if d < -1e-9:
        return (i / half - 1 - p) / d
    return np.float32(1e30)


@njit(**FAST)
def march(origins, directions, near, far, occupied, dt, ray_starts, starts):
    """Packs what is kept into ``starts``, which has room for every step; empty cells are crossed
    in one stride."""
    resolution = occupied.shape[0]
    half, most = np.float32(0.5 * resolution), np.int64(resolution - 1)
    count = 0
    ray_starts[0] = 0
    for ray in range(len(near)):
        ox, oy, oz = origins[ray, 0], origins[ray, 1], origins[ray, 2]
        dx, dy, dz = directions[ray, 0], directions[ray, 1], directions[ray, 2]
        n_steps = np.int64(np.floor((far[ray] - near[ray]) / dt))
        k = np.int64(0)
        while k < n_steps:
            start = near[ray] + k * dt
            t = start + np.float32(0.5) * dt
            px, py, pz = ox + dx * t, oy + dy * t, oz + dz * t
            if max(abs(px), abs(py), abs(pz)) >= 1:
                k += 1
                continue
            x = min(np.int64((px + 1) * half), most)
            y = min(np.int64((py + 1) * half), most)
            z = min(np.int64((pz + 1) * half), most)
            if occupied[x, y, z]:
                starts[count] = start
                count += 1
                k += 1
                continue
            # up to the last lattice step whose middle is still in this cell, rounded down
            exit_t = min(
                _to_exit(px, dx, x, half), _to_exit(py, dy, y, half), _to_exit(pz, dz, z, half)
            )
            k += max(np.int64(1), np.int64(exit_t / dt))
        ray_starts[ray + 1] = count


@njit(inline="always", **FAST)
def _place(p, resolution):
    """The lower of the two cells between whose middles a coordinate lies, and how far it is."""
    s = (p + np.float32(1)) * (np.float32(0.5) * resolution) - np.float32(0.5)
    s = min(max(s, np.float32(0)), np.float32(resolution - 1))
    i = min(np.int32(s), np.int32(resolution - 2))
    return i, s - np.float32(i)


@njit(inline="always", **FAST)
def _between(distances, resolution, px, py, pz):
    """Trilinear."""
    x, fx = _place(px, resolution)
    y, fy = _place(py, resolution)
    z, fz = _place(pz, resolution)
    a0, a1 = distances[x, y, z], distances[x, y, z + 1]
    b0, b1 = distances[x, y + 1, z], distances[x, y + 1, z + 1]
    c0, c1 = distances[x + 1, y, z], distances[x + 1, y, z + 1]
    d0, d1 = distances[x + 1, y + 1, z], distances[x + 1, y + 1, z + 1]
    a, b = a0 + fz * (a1 - a0), b0 + fz * (b1 - b0)
    c, d = c0 + fz * (c1 - c0), d0 + fz * (d1 - d0)
    a, c = a + fy * (b - a), c + fy * (d - c)
    return a + fx * (c - a)


@njit(**FAST)
def approach(origins, directions, t, t_end, distances, near, out):
    resolution = np.int32(distances.shape[0])
    for ray in range(len(t)):
        ox, oy, oz = origins[ray, 0], origins[ray, 1], origins[ray, 2]
        dx, dy, dz = directions[ray, 0], directions[ray, 1], directions[ray, 2]
        s, end = t[ray], t_end[ray]
        while s < end:
            distance = _between(distances, resolution, ox + s * dx, oy + s * dy, oz + s * dz)
            if distance < near:
                break
            s += max(np.float32(0.7) * distance, np.float32(0.5) * near)
        out[ray] = s


@njit(**FAST)
def march_near(origins, directions, near, far, distances, dt, band, ray_starts, starts, ended):
    """Packs what is kept into ``starts``, which has room for every step."""
    resolution = np.int32(distances.shape[0])
    count = 0
    ray_starts[0] = 0
    for ray in range(len(near)):
        ox, oy, oz = origins[ray, 0], origins[ray, 1], origins[ray, 2]
        dx, dy, dz = directions[ray, 0], directions[ray, 1], directions[ray, 2]
        n_steps = np.int64(np.floor((far[ray] - near[ray]) / dt))
        k = np.int64(0)
        ended[ray] = False
        while k < n_steps:
            start = near[ray] + k * dt
            t = start + np.float32(0.5) * dt
            distance = _between(distances, resolution, ox + t * dx, oy + t * dy, oz + t * dz)
            ended[ray] = distance < -band
            if distance < band and (k == 0 or not ended[ray]):
                starts[count] = start
                count += 1
            if ended[ray]:
                break
            k += max(np.int64(1), np.int64(np.float32(0.7) * (distance - band) / dt))
        ray_starts[ray + 1] = count


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
