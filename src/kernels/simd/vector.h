// Vectors of floats as wide as the instruction set that a file is compiled for. Only the files of this folder that are
// compiled once per instruction set may include it; they include nothing of the standard library that has code, because
// the linker could pick such code, compiled for a newer processor, for the whole program.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "simd/table.h"

namespace sextant::kernels::SEXTANT_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

constexpr int64_t kWidth = kVectorBytes / 4;  ///< floats in a vector
template <class T>
constexpr int64_t kLanes = kVectorBytes / static_cast<int64_t>(sizeof(T));

using Floats __attribute__((vector_size(kVectorBytes))) = float;
using Doubles __attribute__((vector_size(kVectorBytes))) = double;
using Ints __attribute__((vector_size(kVectorBytes))) = int32_t;
using Words __attribute__((vector_size(kVectorBytes))) = uint32_t;
using Halves __attribute__((vector_size(kVectorBytes / 2))) = uint16_t;

#define SEXTANT_INLINE inline __attribute__((always_inline))

template <class To, class From>
SEXTANT_INLINE To bits_as(const From& from) {
  To to;
  static_assert(sizeof to == sizeof from);
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

// x - 0 is x, also for x = -0: no subtraction is left
SEXTANT_INLINE Floats splat(float value) { return value - Floats{}; }
SEXTANT_INLINE Doubles splat(double value) { return value - Doubles{}; }

SEXTANT_INLINE Floats widen(Halves bits) { return bits_as<Floats>(__builtin_convertvector(bits, Words) << 16); }

/// To the nearest bfloat16, ties to even; NaN stays NaN.
SEXTANT_INLINE Halves narrow(Floats value) {
  const Words bits = bits_as<Words>(value);
  const Words rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  return __builtin_convertvector(value == value ? rounded : Words{} + 0x7FC0u, Halves);
}

SEXTANT_INLINE Floats load(const float* from) {
  Floats value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
SEXTANT_INLINE Floats load(const Bf16* from) {
  Halves bits;
  __builtin_memcpy(&bits, from, sizeof bits);
  return widen(bits);
}
SEXTANT_INLINE Doubles load(const double* from) {
  Doubles value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
SEXTANT_INLINE void store(double* to, Doubles value) { __builtin_memcpy(to, &value, sizeof value); }
SEXTANT_INLINE void store(float* to, Floats value) { __builtin_memcpy(to, &value, sizeof value); }
SEXTANT_INLINE void store(Bf16* to, Floats value) {
  const Halves bits = narrow(value);
  __builtin_memcpy(to, &bits, sizeof bits);
}

/// The first `count` lanes, for the end of a row; the others are 0 and are not written.
template <class T>
SEXTANT_INLINE Floats load(const T* from, int64_t count) {
  if (count >= kWidth) return load(from);
  T lanes[kWidth] = {};
  __builtin_memcpy(lanes, from, static_cast<unsigned long>(count) * sizeof(T));
  return load(lanes);
}
template <class T>
SEXTANT_INLINE void store(T* to, Floats value, int64_t count) {
  if (count >= kWidth) return store(to, value);
  T lanes[kWidth];
  store(lanes, value);
  __builtin_memcpy(to, lanes, static_cast<unsigned long>(count) * sizeof(T));
}

SEXTANT_INLINE Doubles load(const double* from, int64_t count) {
  if (count >= kLanes<double>) return load(from);
  double lanes[kLanes<double>] = {};
  __builtin_memcpy(lanes, from, static_cast<unsigned long>(count) * sizeof(double));
  return load(lanes);
}
SEXTANT_INLINE void store(double* to, Doubles value, int64_t count) {
  if (count >= kLanes<double>) return store(to, value);
  double lanes[kLanes<double>];
  store(lanes, value);
  __builtin_memcpy(to, lanes, static_cast<unsigned long>(count) * sizeof(double));
}

/// body(first, count) for consecutive pieces of [0, length): whole vectors of T, then what is left.
template <class T = float, class Body>
SEXTANT_INLINE void in_vectors(int64_t length, const Body& body) {
  int64_t first = 0;
  for (; first + kLanes<T> <= length; first += kLanes<T>) body(first, kLanes<T>);
  if (first < length) body(first, length - first);
}
#define SEXTANT_BODY [&](int64_t i, int64_t count) __attribute__((always_inline))

/// The first `count` lanes of `a`, the others of `b`.
SEXTANT_INLINE Floats first_lanes(Floats a, int64_t count, Floats b) {
  Ints lane;
  for (int i = 0; i < kWidth; ++i) lane[i] = i;
  return lane < static_cast<int32_t>(count) ? a : b;
}

SEXTANT_INLINE float largest_lane(Floats value) {
  float largest = value[0];
  for (int64_t i = 1; i < kWidth; ++i) largest = value[i] > largest ? value[i] : largest;
  return largest;
}

SEXTANT_INLINE float sum_of_lanes(Floats value) {
  float lanes[kWidth];
  store(lanes, value);
  for (int64_t half = kWidth / 2; half > 0; half /= 2) {
    for (int64_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

struct ScaledExp {
  Floats power;     ///< 2^n
  Floats fraction;  ///< e^r - 1 with |r| <= ln(2)/2
};

/// e^x = power (1 + fraction) for |x| <= 87, `fraction` within an ulp of its own size. Polynomial of Cephes' expf.
SEXTANT_INLINE ScaledExp scaled_exp(Floats x) {
  const Floats shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the sum's low bits are the rounded integer
  const Floats n = shifted - 12582912.0f;
  const Floats r = (x - n * 0.693359375f) - n * -2.12194440e-4f;  // ln 2 in two parts
  Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return {bits_as<Floats>((bits_as<Words>(shifted) << 23) + 0x3F800000u), p * (r * r) + r};
}

/// e^x within 1.5 units in the last place for |x| <= 87, saturating outside; NaN stays NaN.
SEXTANT_INLINE Floats exp(Floats x) {
  x = x < -87.0f ? splat(-87.0f) : x;
  x = x > 87.0f ? splat(87.0f) : x;
  const ScaledExp e = scaled_exp(x);
  return (e.fraction + 1.0f) * e.power;
}

/// 1/x for 2^-126 < x < 2^126, within one unit in the last place.
SEXTANT_INLINE Floats reciprocal(Floats x) {
#if defined(__AVX512F__)
  Floats r = bits_as<Floats>(_mm512_maskz_rcp14_ps(0xFFFF, bits_as<__m512>(x)));
  return r + r * (1.0f - x * r);  // one Newton step squares the error of 2^-14
#else
  return 1.0f / x;
#endif
}

SEXTANT_INLINE Floats silu(Floats x) { return x * reciprocal(1.0f + exp(-x)); }

}  // namespace
}  // namespace sextant::kernels::SEXTANT_ISA
