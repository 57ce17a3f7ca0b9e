// What shaders/*.cu ask of CUDA, for a CPU: threads are taken one after the other.
#pragma once
#include <algorithm>
#include <cmath>
#include <utility>

#define __global__
#define __device__
#define __forceinline__ inline

using std::max;
using std::min;

struct float2 { float x, y; };
struct Index { unsigned x, y; };

inline float2 make_float2(float x, float y) { return {x, y}; }
inline void atomicAdd(float* place, float value) { *place += value; }

static Index threadIdx, blockIdx, blockDim, gridDim;

// The launch: `arguments` points to a value of each parameter's type, as cuLaunchKernel takes them.
template <class... T, std::size_t... I>
void run(void (*kernel)(T...), void** arguments, std::index_sequence<I...>)
{
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)
        for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x)
            for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x)
                kernel(*static_cast<T*>(arguments[I])...);
}

template <class... T>
void run(void (*kernel)(T...), unsigned blocks, unsigned rows, unsigned block, void** arguments)
{
    gridDim = {blocks, rows};
    blockDim = {block, 1};
    run(kernel, arguments, std::index_sequence_for<T...>());
}
