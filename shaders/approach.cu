// Steps towards the surface by a lattice of distances: `approach` of core/kernels/reference.py.
#include "common.cuh"

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
        long long cell[3];
        float part[3];
        for (int axis = 0; axis < 3; ++axis) {
            const float p = origins[3 * ray + axis] + t * directions[3 * ray + axis];
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
        if (distance < near) break;
        t += fmaxf(0.7f * distance, 0.5f * near);
    }
    out[ray] = t;
}
