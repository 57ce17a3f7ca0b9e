// What the kernels share. Every integer the host passes is 64 bits wide; the features of a row of
// the table are read and written in pairs.
#pragma once

__device__ __forceinline__ long long thread_index()
{
    return (long long)blockIdx.x * blockDim.x + threadIdx.x;
}

// A level of the hash grid: cells along [0, 1], its first row in the table, and for a hashed level
// (not dense) its number of rows, a power of two, less one.
struct Level { int resolution; unsigned first, mask; int dense; };

// The cell of a point: rows of the table of its corners, x fastest; the place in it along each
// axis; and the change of that by the coordinate.
struct Cell { unsigned row[8]; float place[3], slope[3]; };

__device__ __forceinline__ Cell find_cell(const float* __restrict__ x, const Level level)
{
    Cell cell;
    unsigned lower[3];
    for (int axis = 0; axis < 3; ++axis) {
        const float p = x[axis];
        const float scaled = fminf(fmaxf(p, 0.0f), 1.0f) * level.resolution;
        const int index = min((int)scaled, level.resolution - 1);
        lower[axis] = index;
        cell.place[axis] = scaled - index;
        cell.slope[axis] = p > 0 && p < 1 ? level.resolution : 0;  // none where p is clamped
    }
    // one step along y and z; the primes are those of core/kernels/grid_layout.py
    const unsigned side = level.resolution + 1;
    const unsigned y = level.dense ? side : 2654435761u, z = level.dense ? side * side : 805459861u;
    for (int corner = 0; corner < 8; ++corner) {
        const unsigned a = lower[0] + (corner & 1);
        const unsigned b = (lower[1] + (corner >> 1 & 1)) * y;
        const unsigned c = (lower[2] + (corner >> 2)) * z;
        cell.row[corner] = level.first + (level.dense ? a + b + c : (a ^ b ^ c) & level.mask);
    }
    return cell;
}

// How much of a corner there is along one axis.
__device__ __forceinline__ float share(const Cell& cell, int corner, int axis)
{
    return corner >> axis & 1 ? cell.place[axis] : 1 - cell.place[axis];
}

__device__ __forceinline__ float weight(const Cell& cell, int corner)
{
    return share(cell, corner, 0) * share(cell, corner, 1) * share(cell, corner, 2);
}

// d(weight)/d(coordinate along an axis)
__device__ __forceinline__ float weight_slope(const Cell& cell, int corner, int axis)
{
    const float others = share(cell, corner, (axis + 1) % 3) * share(cell, corner, (axis + 2) % 3);
    return (corner >> axis & 1 ? cell.slope[axis] : -cell.slope[axis]) * others;
}

__device__ __forceinline__ void add_pair(float2* place, float a, float b)
{
#if __CUDA_ARCH__ >= 900
    atomicAdd(place, make_float2(a, b));
#else
    atomicAdd(&place->x, a);
    atomicAdd(&place->y, b);
#endif
}
