// Walks by a lattice of distances: `approach` and `march_near` of core/kernels/reference.py.
#include "common.cuh"

// The lattice at a point of [-1, 1]^3, trilinear between the middles of the cells.
__device__ __forceinline__ float between(
    const float* __restrict__ distances, long long resolution, const float* origin,
    const float* direction, float t)
{
    long long cell[3];
    float part[3];
    for (int axis = 0; axis < 3; ++axis) {
        const float p = origin[axis] + t * direction[axis];
        const float s = fminf(fmaxf((p + 1) * 0.5f * resolution - 0.5f, 0.0f), resolution - 1.0f);
        cell[axis] = (long long)fminf(s, resolution - 2.0f);
        part[axis] = s - cell[axis];
    }
    float distance = 0;
    for (int corner = 0; corner < 8; ++corner) {
        long long at = 0;
        float weight = 1;
        for (int axis = 0; axis < 3; ++axis) {
            const int bit = corner >> axis & 1;
            at = at * resolution + cell[axis] + bit;
            weight *= bit ? part[axis] : 1 - part[axis];
        }
        distance += weight * distances[at];
    }
    return distance;
}

extern "C" __global__ void approach(
    const float* __restrict__ origins, const float* __restrict__ directions,
    const float* __restrict__ t_start, const float* __restrict__ t_end,
    const float* __restrict__ distances, long long resolution, float near, float* out,
    long long n_rays)
{
    const long long ray = thread_index();
    if (ray >= n_rays) return;
    float t = t_start[ray];
    while (t < t_end[ray]) {
        const float distance =
            between(distances, resolution, origins + 3 * ray, directions + 3 * ray, t);
        if (distance < near) break;
        t += fmaxf(0.7f * distance, 0.5f * near);
    }
    out[ray] = t;
}

// Called twice, to count and to write, as `march` is.
extern "C" __global__ void march_near(
    const float* __restrict__ origins, const float* __restrict__ directions,
    const float* __restrict__ t_near, const float* __restrict__ t_far,
    const float* __restrict__ distances, long long resolution, unsigned char* ended, float band,
    float dt, long long* counts, const long long* ray_starts, float* starts, long long n_rays)
{
    const long long ray = thread_index();
    if (ray >= n_rays) return;
    const long long n_steps = (long long)floorf((t_far[ray] - t_near[ray]) / dt);
    float* out = starts ? starts + ray_starts[ray] : nullptr;
    long long count = 0;
    bool inside = false;
    for (long long k = 0; k < n_steps && !inside;) {
        const float t = t_near[ray] + k * dt;
        const float distance = between(
            distances, resolution, origins + 3 * ray, directions + 3 * ray, t + 0.5f * dt);
        inside = distance < -band;
        if (distance < band && (k == 0 || !inside)) {
            if (out) out[count] = t;
            ++count;
        }
        k += 1 + (long long)fmaxf(0.7f * (distance - band) / dt - 1, 0.0f);
    }
    ended[ray] = inside;
    if (!starts) counts[ray] = count;
}
