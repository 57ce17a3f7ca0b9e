// Features of points by trilinear interpolation: `encode` of core/kernels/reference.py.
//
// One thread takes one point of one level. blockIdx.y is the level, so that the blocks in flight
// read one level, which the cache can hold; neighbouring threads take neighbouring points, a sample
// and its taps among them, which mostly read the same rows.
#include "common.cuh"

extern "C" __global__ void encode(
    const float* __restrict__ x, const float2* __restrict__ table,
    const Level* __restrict__ levels, const float* __restrict__ level_weights,
    float2* __restrict__ out, long long n_points, long long n_pairs)
{
    const long long i = thread_index();
    if (i >= n_points) return;
    const int level = blockIdx.y;
    const float scale = level_weights[level];
    float2* features = out + (i * gridDim.y + level) * n_pairs;
    if (scale == 0) {
        for (int f = 0; f < n_pairs; ++f) features[f] = make_float2(0, 0);
        return;
    }
    const Cell cell = find_cell(x + 3 * i, levels[level]);
    for (int f = 0; f < n_pairs; ++f) {
        float2 sum = make_float2(0, 0);
        #pragma unroll
        for (int corner = 0; corner < 8; ++corner) {
            const float2 value = table[cell.row[corner] * n_pairs + f];
            const float w = weight(cell, corner);
            sum.x += w * value.x;
            sum.y += w * value.y;
        }
        features[f] = make_float2(scale * sum.x, scale * sum.y);
    }
}

extern "C" __global__ void encode_backward(
    const float* __restrict__ x, const float2* __restrict__ grad,
    const Level* __restrict__ levels, const float* __restrict__ level_weights,
    float2* __restrict__ grad_table, long long n_points, long long n_pairs)
{
    const long long i = thread_index();
    if (i >= n_points) return;
    const int level = blockIdx.y;
    const float scale = level_weights[level];
    if (scale == 0) return;
    const Cell cell = find_cell(x + 3 * i, levels[level]);
    for (int f = 0; f < n_pairs; ++f) {
        const float2 g = grad[(i * gridDim.y + level) * n_pairs + f];
        #pragma unroll
        for (int corner = 0; corner < 8; ++corner) {
            const float w = scale * weight(cell, corner);
            add_pair(grad_table + cell.row[corner] * n_pairs + f, w * g.x, w * g.y);
        }
    }
}
