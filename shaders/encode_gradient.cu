// Slopes of the features by the position: `encode_gradient` of core/kernels/reference.py.
#include "common.cuh"

// One thread takes one point through all levels, so that nothing has to be added atomically.
extern "C" __global__ void encode_gradient(
    const float* __restrict__ x, const float2* __restrict__ v, const float2* __restrict__ table,
    const Level* __restrict__ levels, const float* __restrict__ level_weights,
    float* __restrict__ out, long long n_points, long long n_levels, long long n_pairs)
{
    const long long i = thread_index();
    if (i >= n_points) return;
    float sum[3] = {0, 0, 0};
    for (int level = 0; level < n_levels; ++level) {
        const float scale = level_weights[level];
        if (scale == 0) continue;
        const Cell cell = find_cell(x + 3 * i, levels[level]);
        const float2* covector = v + (i * n_levels + level) * n_pairs;
        #pragma unroll
        for (int corner = 0; corner < 8; ++corner) {
            float along = 0;
            for (int f = 0; f < n_pairs; ++f) {
                const float2 value = table[cell.row[corner] * n_pairs + f];
                along += covector[f].x * value.x + covector[f].y * value.y;
            }
            for (int axis = 0; axis < 3; ++axis)
                sum[axis] += scale * along * weight_slope(cell, corner, axis);
        }
    }
    for (int axis = 0; axis < 3; ++axis) out[3 * i + axis] = sum[axis];
}

// One thread takes one point of one level (blockIdx.y), as `encode_backward` does.
extern "C" __global__ void encode_gradient_backward(
    const float* __restrict__ x, const float2* __restrict__ v, const float* __restrict__ grad,
    const float2* __restrict__ table, const Level* __restrict__ levels,
    const float* __restrict__ level_weights, float2* __restrict__ grad_v,
    float2* __restrict__ grad_table, long long n_points, long long n_pairs)
{
    const long long i = thread_index();
    if (i >= n_points) return;
    const int level = blockIdx.y;
    const float scale = level_weights[level];
    const long long at = (i * gridDim.y + level) * n_pairs;
    if (scale == 0) {
        for (int f = 0; f < n_pairs; ++f) grad_v[at + f] = make_float2(0, 0);
        return;
    }
    const Cell cell = find_cell(x + 3 * i, levels[level]);
    float along[8];
    #pragma unroll
    for (int corner = 0; corner < 8; ++corner) {
        float sum = 0;
        for (int axis = 0; axis < 3; ++axis)
            sum += weight_slope(cell, corner, axis) * grad[3 * i + axis];
        along[corner] = scale * sum;
    }
    for (int f = 0; f < n_pairs; ++f) {
        float2 sum = make_float2(0, 0);
        #pragma unroll
        for (int corner = 0; corner < 8; ++corner) {
            const long long place = cell.row[corner] * n_pairs + f;
            sum.x += along[corner] * table[place].x;
            sum.y += along[corner] * table[place].y;
            add_pair(grad_table + place, along[corner] * v[at + f].x, along[corner] * v[at + f].y);
        }
        grad_v[at + f] = sum;
    }
}
