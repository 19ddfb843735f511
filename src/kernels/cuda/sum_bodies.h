// A convolution's bias, the addition behind it and the activation of that, as functions of a thread's number.
//
//   y = act(x + bias + residual),  act(x) = x, max(x, 0), or log(1 + exp(beta x)) / beta
//   dx = dresidual = dy act'(x),   act'(x) = [y > 0], or 1 - exp(-beta y): of the result alone
#pragma once

#include "cuda/packs.h"

namespace sextant::kernels::cuda {

/// kNone: y = x.
enum class Act { kNone, kRelu, kSoftplus };

SEXTANT_HOST_DEVICE inline float activated(float x, Act act, float beta) {
  constexpr float kLinear = 20;  // from here on, as in PyTorch, softplus is its argument
  if (act == Act::kRelu) return x > 0 ? x : (x != x ? x : 0);
  if (act == Act::kSoftplus && !(beta * x > kLinear)) return log1pf(expf(beta * x)) / beta;
  return x;
}

SEXTANT_HOST_DEVICE inline float slope_at(float y, Act act, float beta) {
  if (act == Act::kRelu) return y > 0 ? 1 : 0;
  return act == Act::kSoftplus ? -expm1f(-beta * y) : 1;
}

/// In place; thread i has pack i of memory. Where there is a bias, x is [rows, C].
template <class T, int kWidth>
struct Sum {
  T* x;
  const T* bias;      ///< [C], or null
  const T* residual;  ///< like x, or null
  int64_t channels;
  Act act;
  float beta;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    using Numbers = Pack<T, kWidth>;
    auto* const place = reinterpret_cast<Numbers*>(x) + i;
    Numbers numbers = *place;
    const Numbers none = {};
    const Numbers added = residual ? reinterpret_cast<const Numbers*>(residual)[i] : none;
    const Numbers offset =
        bias ? reinterpret_cast<const Numbers*>(bias)[i % static_cast<uint32_t>(channels / kWidth)] : none;
    for (int k = 0; k < kWidth; ++k) {
      float sum = static_cast<float>(numbers.v[k]);
      if (bias) sum += static_cast<float>(offset.v[k]);
      if (residual) sum += static_cast<float>(added.v[k]);
      numbers.v[k] = static_cast<T>(activated(sum, act, beta));
    }
    *place = numbers;
  }
};

/// dx from dy and y.
template <class T, int kWidth>
struct SumGradient {
  const T* dy;
  const T* y;
  T* dx;
  Act act;
  float beta;

  SEXTANT_HOST_DEVICE void operator()(uint32_t i) const {
    using Numbers = Pack<T, kWidth>;
    Numbers slopes = reinterpret_cast<const Numbers*>(dy)[i];
    const Numbers results = reinterpret_cast<const Numbers*>(y)[i];
    for (int k = 0; k < kWidth; ++k) {
      const float slope = slope_at(static_cast<float>(results.v[k]), act, beta);
      slopes.v[k] = static_cast<T>(static_cast<float>(slopes.v[k]) * slope);
    }
    reinterpret_cast<Numbers*>(dx)[i] = slopes;
  }
};

}  // namespace sextant::kernels::cuda
