#include "micro_kernel.h"

namespace sextant::metrics {
namespace {

constexpr int kVectors = 2;  ///< of b, per row of sums

/// Rows * kVectors sums stay in registers while a and b stream by.
template <class T, int Bytes, int Rows>
inline __attribute__((always_inline)) void multiply(int64_t k, const T* a, const T* b, T* sums) {
  constexpr int kWidth = Bytes / sizeof(T);
  typedef T Vector __attribute__((vector_size(Bytes), aligned(alignof(T)), may_alias));
  Vector sum[Rows][kVectors] = {};
  for (int64_t step = 0; step < k; ++step, a += Rows, b += kVectors * kWidth) {
    Vector right[kVectors];
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) right[j] = *reinterpret_cast<const Vector*>(b + j * kWidth);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sum[i][j] += a[i] * right[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      *reinterpret_cast<Vector*>(sums + (i * kVectors + j) * kWidth) = sum[i][j];
    }
  }
}

template <class T>
void baseline(int64_t k, const T* a, const T* b, T* sums) {
  multiply<T, 16, 6>(k, a, b, sums);
}

#if defined(__x86_64__) && defined(__GNUC__)

template <class T>
__attribute__((target("avx2,fma"))) void avx2(int64_t k, const T* a, const T* b, T* sums) {
  multiply<T, 32, 6>(k, a, b, sums);
}

template <class T>
__attribute__((target("avx512f"))) void avx512(int64_t k, const T* a, const T* b, T* sums) {
  multiply<T, 64, 14>(k, a, b, sums);
}

#endif

template <class T>
MicroKernel<T> choose() {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f")) return {14, kVectors * 64 / sizeof(T), avx512<T>};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return {6, kVectors * 32 / sizeof(T), avx2<T>};
  }
#endif
  return {6, kVectors * 16 / sizeof(T), baseline<T>};
}

}  // namespace

const MicroKernel<float>& micro_kernel(float) {
  static const MicroKernel<float> chosen = choose<float>();
  return chosen;
}

const MicroKernel<double>& micro_kernel(double) {
  static const MicroKernel<double> chosen = choose<double>();
  return chosen;
}

}  // namespace sextant::metrics
