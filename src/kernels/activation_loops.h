// The loops of activation.h over plain memory, one thread each.
#pragma once

#include <cstdint>

namespace sextant::kernels {

/// A bfloat16: the upper half of a float32.
struct Bfloat16Bits {
  uint16_t bits;
};

/// x = act(x + residual) for `count` elements; `residual` may be null. beta 0 is ReLU.
void activation_forward(float* x, const float* residual, int64_t count, float beta);
void activation_forward(Bfloat16Bits* x, const Bfloat16Bits* residual, int64_t count, float beta);

/// gradient = incoming act'(.), which is a function of y = act(.) alone: 1 - exp(-beta y), or [y > 0] for ReLU.
void activation_backward(float* gradient, const float* incoming, const float* y, int64_t count, float beta);
void activation_backward(Bfloat16Bits* gradient, const Bfloat16Bits* incoming, const Bfloat16Bits* y, int64_t count,
                         float beta);

}  // namespace sextant::kernels
