// Weights of packed samples and sums over rays: `neus_weights` and `composite` of
// core/kernels/reference.py. A ray's samples are taken in their order by one thread.
#include "common.cuh"

__device__ __forceinline__ float sigmoid(float x) { return 1 / (1 + expf(-x)); }

extern "C" __global__ void neus_weights(
    const float* __restrict__ sdf, const float* __restrict__ t_starts,
    const float* __restrict__ t_ends, const long long* __restrict__ ray_starts, float inv_s,
    float ratio, float* __restrict__ weights, long long n_rays)
{
    const long long ray = thread_index();
    if (ray >= n_rays) return;
    const long long begin = ray_starts[ray], end = ray_starts[ray + 1];
    float transmittance = 1;
    for (long long i = begin; i < end; ++i) {
        float slope = -1;
        if (end - begin > 1) {
            const long long low = max(i - 1, begin), high = min(i + 1, end - 1);
            const float between = t_starts[high] + t_ends[high] - t_starts[low] - t_ends[low];
            slope = (sdf[high] - sdf[low]) / (0.5f * between);
        }
        slope = fminf(fmaxf(slope, -1.0f), 1.0f);
        const float soft = fmaxf(0.5f - 0.5f * slope, 0.0f);
        const float cos = -(soft * (1 - ratio) + fmaxf(-slope, 0.0f) * ratio);
        const float half = 0.5f * cos * (t_ends[i] - t_starts[i]);
        const float before = sigmoid((sdf[i] - half) * inv_s);
        const float after = sigmoid((sdf[i] + half) * inv_s);
        const float part = (before - after + 1e-5f) / (before + 1e-5f);
        const float alpha = fminf(fmaxf(part, 0.0f), 1.0f);
        weights[i] = alpha * transmittance;
        transmittance *= 1 - alpha;
    }
}

// One thread takes one channel of one ray; that of the first channel writes the weights.
extern "C" __global__ void composite(
    const float* __restrict__ alphas, const float* __restrict__ values,
    const long long* __restrict__ ray_starts, float* __restrict__ weights,
    float* __restrict__ out, long long n_rays, long long n_channels)
{
    const long long ray = thread_index() / n_channels, channel = thread_index() % n_channels;
    if (ray >= n_rays) return;
    float transmittance = 1, sum = 0;
    for (long long i = ray_starts[ray]; i < ray_starts[ray + 1]; ++i) {
        const float w = alphas[i] * transmittance;
        if (channel == 0) weights[i] = w;
        sum += w * values[i * n_channels + channel];
        transmittance *= 1 - alphas[i];
    }
    out[ray * n_channels + channel] = sum;
}

extern "C" __global__ void composite_backward(
    const float* __restrict__ alphas, const float* __restrict__ values,
    const float* __restrict__ weights, const long long* __restrict__ ray_starts,
    const float* __restrict__ grad_weights, const float* __restrict__ grad_out,
    float* __restrict__ grad_alphas, float* __restrict__ grad_values, long long n_rays,
    long long n_channels)
{
    const long long ray = thread_index();
    if (ray >= n_rays) return;
    const long long begin = ray_starts[ray], end = ray_starts[ray + 1];
    float behind = 0;  // what later samples would give if this one were clear
    for (long long i = end - 1; i >= begin; --i) {
        float g = grad_weights[i];
        for (int c = 0; c < n_channels; ++c) {
            const float through = grad_out[ray * n_channels + c];
            g += values[i * n_channels + c] * through;
            grad_values[i * n_channels + c] = weights[i] * through;
        }
        grad_alphas[i] = g - behind;
        behind = g * alphas[i] + (1 - alphas[i]) * behind;
    }
    float transmittance = 1;
    for (long long i = begin; i < end; ++i) {
        grad_alphas[i] *= transmittance;
        transmittance *= 1 - alphas[i];
    }
}
