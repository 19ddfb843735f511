// Functions that nvcc compiles for both sides and g++ for its own.
#pragma once

#if defined(__CUDACC__)
#define SEXTANT_HOST_DEVICE __host__ __device__
#else
#define SEXTANT_HOST_DEVICE
#endif
