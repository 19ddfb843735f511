// softplus(x) = log(1 + e^(beta x)) / beta and ReLU, after an addition; and their gradients.
#pragma once

#include "simd/vector.h"

namespace sextant::kernels::SEXTANT_ISA {
namespace {

constexpr float kFlushed = -80.0f;  ///< e^-80 = 2e-35: below, results count as 0, before any could be denormal

/// log(1 + e) for 0 <= e <= 1: 2 artanh(e / (2 + e)) by its series, whose argument is at most 1/3.
SEXTANT_INLINE Floats log_of_one_plus(Floats e) {
  const Floats s = e / (2.0f + e);
  const Floats seen = s < 1e-9f ? Floats{} : s;  // its square would underflow, which costs more than all the rest
  const Floats s2 = seen * seen;
  Floats p = s2 * (1.0f / 15) + 1.0f / 13;
  p = p * s2 + 1.0f / 11;
  p = p * s2 + 1.0f / 9;
  p = p * s2 + 1.0f / 7;
  p = p * s2 + 1.0f / 5;
  p = p * s2 + 1.0f / 3;
  return 2.0f * (s + s * (s2 * p));
}

/// max(x, 0) + log(1 + e^-|beta x|) / beta: no exponential overflows, and nothing cancels. NaN stays NaN.
SEXTANT_INLINE Floats softplus(Floats x, float beta, float inverse) {
  const Floats u = beta * x;
  const Floats down = u < 0.0f ? u : -u;
  const ScaledExp e = scaled_exp(down < kFlushed ? splat(kFlushed) : down);
  const Floats tail = log_of_one_plus(e.power + e.power * e.fraction) * inverse;
  return (x < 0.0f ? Floats{} : x) + (down < kFlushed ? Floats{} : tail);
}

/// 1 - e^(-beta y), accurate also where it is tiny.
SEXTANT_INLINE Floats softplus_slope(Floats y, float beta) {
  const Floats u = -beta * y;
  const ScaledExp e = scaled_exp(u < kFlushed ? splat(kFlushed) : u);
  return (1.0f - e.power) - e.power * e.fraction;
}

template <class T, class Function>
SEXTANT_INLINE void in_place(const ActivationForward<T>& job, const Function& act) {
  if (job.residual) {
    in_vectors(
        job.count,
        SEXTANT_BODY { store(job.x + i, act(load(job.x + i, count) + load(job.residual + i, count)), count); });
  } else {
    in_vectors(
        job.count, SEXTANT_BODY { store(job.x + i, act(load(job.x + i, count)), count); });
  }
}

template <class T>
void activation_forward(const ActivationForward<T>& job) {
  const float beta = job.beta;
  if (beta > 0) {
    const float inverse = 1.0f / beta;
    in_place(
        job, [=](Floats x) __attribute__((always_inline)) { return softplus(x, beta, inverse); });
  } else {
    in_place(
        job, [](Floats x) __attribute__((always_inline)) { return x < 0.0f ? Floats{} : x; });
  }
}

template <class T>
void activation_backward(const ActivationBackward<T>& job) {
  in_vectors(
      job.count, SEXTANT_BODY {
        const Floats incoming = load(job.incoming + i, count), y = load(job.y + i, count);
        const Floats gradient =
            job.beta > 0 ? incoming * softplus_slope(y, job.beta) : (y > 0.0f ? incoming : Floats{});
        store(job.gradient + i, gradient, count);
      });
}

}  // namespace
}  // namespace sextant::kernels::SEXTANT_ISA
