"""The hash grid's kernels in numba. Arguments and meaning: `reference`; arrays are float32.

Points go through the levels in chunks that stay in the cache, level after level; features are
taken in pairs, one load of eight bytes each.
"""

import numpy as np
from numba import njit

FAST = {"cache": True, "fastmath": {"contract", "nsz", "arcp", "reassoc"}, "nogil": True,
        "error_model": "numpy", "boundscheck": False}
CHUNK = 1024
_Y, _Z = np.uint32(2654435761), np.uint32(805459861)
@njit(inline="always", **FAST)
def _cell(p, resolution):
    """The cell of a coordinate along one axis and the place within it."""
    s = min(max(p, np.float32(0)), np.float32(1)) * np.float32(resolution)
    i = min(np.int32(s), resolution - np.int32(1))
    return i, s - np.float32(i)


@njit(inline="always", **FAST)
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


@njit(inline="always", **FAST)
def _trilinear(fx, fy, fz):
    """Weights of the eight corners, x fastest."""
    gx, gy, gz = np.float32(1) - fx, np.float32(1) - fy, np.float32(1) - fz
    a, b, c, d = gy * gz, fy * gz, gy * fz, fy * fz
    return gx * a, fx * a, gx * b, fx * b, gx * c, fx * c, gx * d, fx * d


@njit(inline="always", **FAST)
def _slope(p, resolution, scale):
    """d(place in the cell)/d(coordinate), 0 where the coordinate is clamped."""
    return np.float32(resolution) * scale if 0 < p < 1 else np.float32(0)


@njit(**FAST)
def encode(x, table, resolutions, offsets, dense, level_weights, out):
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


@njit(**FAST)
def encode_backward(x, grad, resolutions, offsets, dense, level_weights, grad_table):
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


@njit(**FAST)
def encode_gradient(x, v, table, resolutions, offsets, dense, level_weights, out):
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


@njit(**FAST)
def encode_gradient_backward(
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
