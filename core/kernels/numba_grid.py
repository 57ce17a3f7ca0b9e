"""The hash grid's kernels in numba. Arguments and meaning: `reference`; arrays are float32.

Points go through the levels in blocks, level after level. Of a block, rows and weights of all
corners are found first, by loops that the compiler turns into vector instructions; only reading and
writing rows is done one by one. Rows are unsigned, since numba looks at the sign of other indices.
"""

import numpy as np
from numba import njit

FAST = {
    "cache": True,
    "fastmath": {"contract", "nsz", "arcp", "reassoc"},
    "nogil": True,
    "error_model": "numpy",
    "boundscheck": False,
}
BLOCK = 128
_ONE = np.float32(1)
_NEXT, _Y, _Z = np.uint32(1), np.uint32(2654435761), np.uint32(805459861)


@njit(inline="always", **FAST)
def _take(x, start, n, block):
    """The points from ``start`` on, clamped to the domain, as ``block`` [3, n]."""
    for i in range(n):
        for axis in range(3):
            block[axis, i] = min(max(x[start + i, axis], np.float32(0)), _ONE)


@njit(inline="always", **FAST)
def _place(block, n, resolution, cells, fractions):
    """The cells [3, n] of the points of ``block``, and the places [3, n] within them."""
    last, many = np.int32(resolution - 1), np.float32(resolution)
    for axis in range(3):
        for i in range(n):
            s = block[axis, i] * many
            cell = min(np.int32(s), last)
            cells[axis, i] = cell
            fractions[axis, i] = s - np.float32(cell)


@njit(inline="always", **FAST)
def _find_rows(cells, n, resolution, dense, begin, end, rows):
    """Rows [8, n] of the table, of which a level has those from ``begin`` to ``end``, of the eight
    corners of each of the ``cells``, x fastest."""
    offset = np.uint32(begin)
    if dense:
        side = np.uint32(resolution + 1)
        for i in range(n):
            x, y, z = np.uint32(cells[0, i]), np.uint32(cells[1, i]), np.uint32(cells[2, i])
            r0 = offset + x + side * (y + side * z)
            r2, r4 = r0 + side, r0 + side * side
            r6 = r4 + side
            rows[0, i], rows[1, i], rows[2, i], rows[3, i] = r0, r0 + _NEXT, r2, r2 + _NEXT
            rows[4, i], rows[5, i], rows[6, i], rows[7, i] = r4, r4 + _NEXT, r6, r6 + _NEXT
        return
    mask = np.uint32(end - begin - 1)
    for i in range(n):
        x0, x1 = np.uint32(cells[0, i]), np.uint32(cells[0, i]) + _NEXT
        y0, z0 = np.uint32(cells[1, i]) * _Y, np.uint32(cells[2, i]) * _Z
        y1, z1 = y0 + _Y, z0 + _Z
        rows[0, i], rows[1, i] = offset + ((x0 ^ y0 ^ z0) & mask), offset + ((x1 ^ y0 ^ z0) & mask)
        rows[2, i], rows[3, i] = offset + ((x0 ^ y1 ^ z0) & mask), offset + ((x1 ^ y1 ^ z0) & mask)
        rows[4, i], rows[5, i] = offset + ((x0 ^ y0 ^ z1) & mask), offset + ((x1 ^ y0 ^ z1) & mask)
        rows[6, i], rows[7, i] = offset + ((x0 ^ y1 ^ z1) & mask), offset + ((x1 ^ y1 ^ z1) & mask)


@njit(inline="always", **FAST)
def _trilinear(fractions, n, scale, weights):
    """Weights [8, n] of the corners, times ``scale``."""
    for i in range(n):
        fx, fy, fz = fractions[0, i], fractions[1, i], fractions[2, i]
        gx, gy, gz = _ONE - fx, _ONE - fy, _ONE - fz
        a, b, c, d = scale * (gy * gz), scale * (fy * gz), scale * (gy * fz), scale * (fy * fz)
        weights[0, i], weights[1, i], weights[2, i], weights[3, i] = gx * a, fx * a, gx * b, fx * b
        weights[4, i], weights[5, i], weights[6, i], weights[7, i] = gx * c, fx * c, gx * d, fx * d


@njit(inline="always", **FAST)
def _slope(p, resolution, scale):
    """d(place in the cell)/d(coordinate), 0 where the coordinate is clamped."""
    return np.float32(resolution) * scale if 0 < p < 1 else np.float32(0)


@njit(inline="always", **FAST)
def _sloped(x, grad, start, fractions, n, resolution, scale, weights):
    """d(weight of a corner)/d(coordinate) · ``grad``, [8, n]: its three one-axis terms added up."""
    for i in range(n):
        fx, fy, fz = fractions[0, i], fractions[1, i], fractions[2, i]
        gx, gy, gz = _ONE - fx, _ONE - fy, _ONE - fz
        px = _slope(x[start + i, 0], resolution, scale) * grad[start + i, 0]
        py = _slope(x[start + i, 1], resolution, scale) * grad[start + i, 1]
        pz = _slope(x[start + i, 2], resolution, scale) * grad[start + i, 2]
        weights[0, i] = -px * gy * gz - py * gx * gz - pz * gx * gy
        weights[1, i] = px * gy * gz - py * fx * gz - pz * fx * gy
        weights[2, i] = -px * fy * gz + py * gx * gz - pz * gx * fy
        weights[3, i] = px * fy * gz + py * fx * gz - pz * fx * fy
        weights[4, i] = -px * gy * fz - py * gx * fz + pz * gx * gy
        weights[5, i] = px * gy * fz - py * fx * fz + pz * fx * gy
        weights[6, i] = -px * fy * fz + py * gx * fz + pz * gx * fy
        weights[7, i] = px * fy * fz + py * fx * fz + pz * fx * fy


@njit(inline="always", **FAST)
def _gather(table, rows, weights, n, out, start, column):
    """The corners' features by their weights, into ``out`` from ``start`` and ``column`` on; in
    pairs, one load of eight bytes each."""
    for i in range(n):
        r0, r1, r2, r3 = rows[0, i], rows[1, i], rows[2, i], rows[3, i]
        r4, r5, r6, r7 = rows[4, i], rows[5, i], rows[6, i], rows[7, i]
        w0, w1, w2, w3 = weights[0, i], weights[1, i], weights[2, i], weights[3, i]
        w4, w5, w6, w7 = weights[4, i], weights[5, i], weights[6, i], weights[7, i]
        for f in range(0, table.shape[1], 2):
            a = w0 * table[r0, f] + w1 * table[r1, f]
            b = w0 * table[r0, f + 1] + w1 * table[r1, f + 1]
            a += w2 * table[r2, f] + w3 * table[r3, f]
            b += w2 * table[r2, f + 1] + w3 * table[r3, f + 1]
            a += w4 * table[r4, f] + w5 * table[r5, f]
            b += w4 * table[r4, f + 1] + w5 * table[r5, f + 1]
            a += w6 * table[r6, f] + w7 * table[r7, f]
            b += w6 * table[r6, f + 1] + w7 * table[r7, f + 1]
            out[start + i, column + f] = a
            out[start + i, column + f + 1] = b


@njit(inline="always", **FAST)
def _scatter(grad, rows, weights, n, grad_table, start, column):
    """What `_gather` reads, written: each corner gets its share of the features' ``grad``."""
    for i in range(n):
        for f in range(0, grad_table.shape[1], 2):
            a, b = grad[start + i, column + f], grad[start + i, column + f + 1]
            for corner in range(8):
                row, w = rows[corner, i], weights[corner, i]
                grad_table[row, f] += w * a
                grad_table[row, f + 1] += w * b


@njit(inline="always", **FAST)
def _room():
    """For a block: its points, their cells and places in them, rows and weights of corners."""
    return (
        np.empty((3, BLOCK), np.float32),
        np.empty((3, BLOCK), np.int32),
        np.empty((3, BLOCK), np.float32),
        np.empty((8, BLOCK), np.uint32),
        np.empty((8, BLOCK), np.float32),
    )


@njit(**FAST)
def encode(x, table, resolutions, offsets, dense, level_weights, out):
    n_features = table.shape[1]
    block, cells, fractions, rows, weights = _room()
    for start in range(0, len(x), BLOCK):
        n = min(BLOCK, len(x) - start)
        _take(x, start, n, block)
        for level in range(len(resolutions)):
            column, resolution = level * n_features, resolutions[level]
            if level_weights[level] == 0:
                out[start : start + n, column : column + n_features] = 0
                continue
            _place(block, n, resolution, cells, fractions)
            _find_rows(cells, n, resolution, dense[level], offsets[level], offsets[level + 1], rows)
            _trilinear(fractions, n, level_weights[level], weights)
            _gather(table, rows, weights, n, out, start, column)


@njit(**FAST)
def encode_backward(x, grad, resolutions, offsets, dense, level_weights, grad_table):
    block, cells, fractions, rows, weights = _room()
    for start in range(0, len(x), BLOCK):
        n = min(BLOCK, len(x) - start)
        _take(x, start, n, block)
        for level in range(len(resolutions)):
            column, resolution = level * grad_table.shape[1], resolutions[level]
            if level_weights[level] == 0:
                continue
            _place(block, n, resolution, cells, fractions)
            _find_rows(cells, n, resolution, dense[level], offsets[level], offsets[level + 1], rows)
            _trilinear(fractions, n, level_weights[level], weights)
            _scatter(grad, rows, weights, n, grad_table, start, column)


@njit(**FAST)
def encode_gradient(x, v, table, resolutions, offsets, dense, level_weights, out):
    n_features = table.shape[1]
    block, cells, fractions, rows, s = _room()
    out[:] = 0
    for start in range(0, len(x), BLOCK):
        n = min(BLOCK, len(x) - start)
        _take(x, start, n, block)
        for level in range(len(resolutions)):
            column, resolution = level * n_features, resolutions[level]
            scale = level_weights[level]
            if scale == 0:
                continue
            _place(block, n, resolution, cells, fractions)
            _find_rows(cells, n, resolution, dense[level], offsets[level], offsets[level + 1], rows)
            for i in range(n):
                for corner in range(8):
                    row, along = rows[corner, i], np.float32(0)
                    for f in range(n_features):
                        along += v[start + i, column + f] * table[row, f]
                    s[corner, i] = along
            for i in range(n):
                fx, fy, fz = fractions[0, i], fractions[1, i], fractions[2, i]
                gx, gy, gz = _ONE - fx, _ONE - fy, _ONE - fz
                out[start + i, 0] += _slope(x[start + i, 0], resolution, scale) * (
                    gy * gz * (s[1, i] - s[0, i])
                    + fy * gz * (s[3, i] - s[2, i])
                    + gy * fz * (s[5, i] - s[4, i])
                    + fy * fz * (s[7, i] - s[6, i])
                )
                out[start + i, 1] += _slope(x[start + i, 1], resolution, scale) * (
                    gx * gz * (s[2, i] - s[0, i])
                    + fx * gz * (s[3, i] - s[1, i])
                    + gx * fz * (s[6, i] - s[4, i])
                    + fx * fz * (s[7, i] - s[5, i])
                )
                out[start + i, 2] += _slope(x[start + i, 2], resolution, scale) * (
                    gx * gy * (s[4, i] - s[0, i])
                    + fx * gy * (s[5, i] - s[1, i])
                    + gx * fy * (s[6, i] - s[2, i])
                    + fx * fy * (s[7, i] - s[3, i])
                )


@njit(**FAST)
def encode_gradient_backward(
    x, v, grad, table, resolutions, offsets, dense, level_weights, grad_v, grad_table
):
    n_features = table.shape[1]
    block, cells, fractions, rows, weights = _room()
    for start in range(0, len(x), BLOCK):
        n = min(BLOCK, len(x) - start)
        _take(x, start, n, block)
        for level in range(len(resolutions)):
            column, resolution = level * n_features, resolutions[level]
            scale = level_weights[level]
            if scale == 0:
                grad_v[start : start + n, column : column + n_features] = 0
                continue
            _place(block, n, resolution, cells, fractions)
            _find_rows(cells, n, resolution, dense[level], offsets[level], offsets[level + 1], rows)
            _sloped(x, grad, start, fractions, n, resolution, scale, weights)
            _gather(table, rows, weights, n, grad_v, start, column)
            _scatter(v, rows, weights, n, grad_table, start, column)
