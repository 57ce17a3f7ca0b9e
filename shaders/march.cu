// Steps along rays through occupied cells: `march` of core/kernels/reference.py.
#include "common.cuh"

// One thread walks one ray; empty cells are crossed in one stride. Called twice: without `starts`
// it counts the steps it keeps into `counts`, then it writes their starts from ray_starts[ray] on.
// Both are this one kernel, so that rounding cannot make the second walk differ from the first.
extern "C" __global__ void march(
    const float* __restrict__ origins, const float* __restrict__ directions,
    const float* __restrict__ t_near, const float* __restrict__ t_far,
    const unsigned char* __restrict__ occupied, long long resolution, float dt,
    long long* counts, const long long* ray_starts, float* starts, long long n_rays)
{
    const long long ray = thread_index();
    if (ray >= n_rays) return;
    const float* o = origins + 3 * ray;
    const float* d = directions + 3 * ray;
    const float near = t_near[ray], half = 0.5f * resolution;
    const long long n_steps = (long long)floorf((t_far[ray] - near) / dt);
    float* out = starts ? starts + ray_starts[ray] : nullptr;
    long long count = 0;
    for (long long k = 0; k < n_steps;) {
        const float t = near + k * dt, middle = t + 0.5f * dt;
        float to_exit = 1e30f;  // of the cell
        long long cell = 0;
        bool inside = true;
        for (int axis = 0; axis < 3; ++axis) {
            const float p = o[axis] + d[axis] * middle;
            inside = inside && p > -1 && p < 1;
            const int i = (int)fminf(fmaxf((p + 1) * half, 0.0f), resolution - 1.0f);
            cell = cell * resolution + i;
            if (fabsf(d[axis]) > 1e-9f) {
                const float wall = (d[axis] > 0 ? i + 1 : i) / half - 1;
                to_exit = fminf(to_exit, (wall - p) / d[axis]);
            }
        }
        long long stride = 1;
        if (inside && occupied[cell]) {
            if (out) out[count] = t;
            ++count;
        } else if (inside) {
            // to the first step whose middle is beyond this cell
            stride = 1 + (long long)fmaxf(fminf(to_exit / dt, n_steps), 0.0f);
        }
        k += stride;
    }
    if (!starts) counts[ray] = count;
}
