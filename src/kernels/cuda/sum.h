// The kernels of sum_bodies.h, launched. Pointers of the device; returns cudaError_t, 0 is success; asynchronous. No
// more than kMostThreads packs.
#pragma once

#include "cuda/number.h"
#include "cuda/sum_bodies.h"

namespace sextant::kernels::cuda {

/// `count` numbers x, in place. A bias has `channels` numbers and count is a multiple of that.
int add(Number number, void* x, const void* bias, const void* residual, int64_t count, int64_t channels, Act act,
        float beta, void* stream);

int add_gradient(Number number, const void* dy, const void* y, void* dx, int64_t count, Act act, float beta,
                 void* stream);

}  // namespace sextant::kernels::cuda
