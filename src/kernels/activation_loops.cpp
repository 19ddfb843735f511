#include "activation_loops.h"

#include <bit>
#include <cmath>

// Compiled for several instruction sets, chosen when the program starts: the loops vectorise to whatever is there.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SEXTANT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SEXTANT_CLONES
#endif
#define SEXTANT_INLINE inline __attribute__((always_inline))

namespace sextant::kernels {
namespace {

SEXTANT_INLINE float widen(float value) { return value; }
SEXTANT_INLINE float widen(Bfloat16Bits value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }

SEXTANT_INLINE void narrow(float value, float& to) { to = value; }
/// To nearest, ties to even. A NaN with payload bits in the lower half alone would become infinite: it keeps a quiet
/// bit.
SEXTANT_INLINE void narrow(float value, Bfloat16Bits& to) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  to.bits = static_cast<uint16_t>(value == value ? rounded : 0x7FC0u);
}

struct ScaledExp {
  float power;     ///< 2^n
  float fraction;  ///< e^r - 1 with |r| <= ln(2)/2
};

/// e^x = power (1 + fraction) for -87 <= x <= 0, `fraction` within an ulp of its own size. Polynomial of Cephes' expf.
SEXTANT_INLINE ScaledExp scaled_exp(float x) {
  const float shifted = x * 1.44269504f + 12582912.0f;  // adding 1.5 * 2^23 leaves the nearest integer in the low bits
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;  // ln 2 in two parts
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float power = std::bit_cast<float>((std::bit_cast<uint32_t>(shifted) << 23) + 0x3F800000u);
  return {power, p * (r * r) + r};
}

/// log(1 + e) for 0 <= e <= 1: 2 artanh(e / (2 + e)) by its series, whose argument is at most 1/3.
SEXTANT_INLINE float log_of_one_plus(float e) {
  const float s = e / (2.0f + e);
  const float seen = s < 1e-9f ? 0.0f : s;  // its square would underflow, which costs more than all the rest
  const float s2 = seen * seen;
  float p = 1.0f / 15;
  p = p * s2 + 1.0f / 13;
  p = p * s2 + 1.0f / 11;
  p = p * s2 + 1.0f / 9;
  p = p * s2 + 1.0f / 7;
  p = p * s2 + 1.0f / 5;
  p = p * s2 + 1.0f / 3;
  return 2.0f * (s + s * (s2 * p));
}

constexpr float kFlushed = -80.0f;  ///< e^-80 = 2e-35: below, results count as 0, before any could be denormal

/// max(x, 0) + log(1 + e^-|beta x|) / beta: no exponential overflows, and nothing cancels. NaN stays NaN.
SEXTANT_INLINE float softplus(float x, float beta, float inverse) {
  const float u = beta * x;
  const float down = -std::fabs(u);
  const float clamped = down < kFlushed ? kFlushed : down;
  const ScaledExp e = scaled_exp(clamped);
  const float tail = log_of_one_plus(e.power + e.power * e.fraction) * inverse;
  return (x < 0 ? 0.0f : x) + (down < kFlushed ? 0.0f : tail);
}

/// 1 - e^(-beta y), accurate also where it is tiny.
SEXTANT_INLINE float softplus_slope(float y, float beta) {
  const float u = -beta * y;
  const ScaledExp e = scaled_exp(u < kFlushed ? kFlushed : u);
  return (1.0f - e.power) - e.power * e.fraction;
}

template <class T>
SEXTANT_INLINE void forward(T* __restrict x, const T* __restrict residual, int64_t count, float beta) {
  const float inverse = beta > 0 ? 1.0f / beta : 0.0f;
  if (beta > 0 && residual) {
    for (int64_t i = 0; i < count; ++i) narrow(softplus(widen(x[i]) + widen(residual[i]), beta, inverse), x[i]);
  } else if (beta > 0) {
    for (int64_t i = 0; i < count; ++i) narrow(softplus(widen(x[i]), beta, inverse), x[i]);
  } else if (residual) {
    for (int64_t i = 0; i < count; ++i) {
      const float sum = widen(x[i]) + widen(residual[i]);
      narrow(sum < 0 ? 0.0f : sum, x[i]);
    }
  } else {
    for (int64_t i = 0; i < count; ++i) narrow(widen(x[i]) < 0 ? 0.0f : widen(x[i]), x[i]);
  }
}

template <class T>
SEXTANT_INLINE void backward(T* __restrict gradient, const T* __restrict incoming, const T* __restrict y, int64_t count,
                             float beta) {
  if (beta > 0) {
    for (int64_t i = 0; i < count; ++i) narrow(widen(incoming[i]) * softplus_slope(widen(y[i]), beta), gradient[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) narrow(widen(y[i]) > 0 ? widen(incoming[i]) : 0.0f, gradient[i]);
  }
}

}  // namespace

SEXTANT_CLONES void activation_forward(float* x, const float* residual, int64_t count, float beta) {
  forward(x, residual, count, beta);
}
SEXTANT_CLONES void activation_forward(Bfloat16Bits* x, const Bfloat16Bits* residual, int64_t count, float beta) {
  forward(x, residual, count, beta);
}
SEXTANT_CLONES void activation_backward(float* gradient, const float* incoming, const float* y, int64_t count,
                                        float beta) {
  backward(gradient, incoming, y, count, beta);
}
SEXTANT_CLONES void activation_backward(Bfloat16Bits* gradient, const Bfloat16Bits* incoming, const Bfloat16Bits* y,
                                        int64_t count, float beta) {
  backward(gradient, incoming, y, count, beta);
}

}  // namespace sextant::kernels
