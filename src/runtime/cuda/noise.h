// Noise made by a GPU where it is needed.
#pragma once

#include <cstdint>

namespace sextant::cuda {

/// Draw number `draw` of the streams of samples[0 .. n-1] under `seed`, `count` numbers each, at out[n][count];
/// pointers of the device, and its stream (cudaStream_t). Returns cudaError_t: 0 is success. Asynchronous.
int fill_normal(float* out, const int64_t* samples, int64_t n, int64_t count, uint64_t seed, uint64_t draw,
                void* stream);
int fill_uniform(float* out, const int64_t* samples, int64_t n, int64_t count, uint64_t seed, uint64_t draw,
                 void* stream);

}  // namespace sextant::cuda
