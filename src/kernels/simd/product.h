// The matrix product that everything else is made of: a block of C stays in registers while A and B stream by.
#pragma once

#include "simd/vector.h"

namespace sextant::kernels::SEXTANT_ISA {
namespace {

// Registers: kRows * kVectors sums, kVectors of B, one of A (broadcast from memory where the instruction set can).
#if defined(__AVX512F__)
constexpr int64_t kRows = 14;
#elif defined(__x86_64__)
constexpr int64_t kRows = 6;
#else
constexpr int64_t kRows = 12;
#endif
constexpr int kVectors = 2;
template <class T>
constexpr int64_t kPanelOf = kVectors* kLanes<T>;
constexpr int64_t kPanel = kPanelOf<float>;
static_assert(kStrip % kPanel == 0);

/// C [rows, kPanel] = A [rows, depth] B [depth, kPanel], or added to C.
template <class T>
struct Product {
  const T* a;  ///< strips of `rows` rows
  const T* b;
  T* c;  ///< rows at distance c_stride
  int64_t rows, depth, c_stride;
  bool add;
};

/// A and B come from memory where they are a network's weights and the rows are few, from the outer caches elsewhere,
/// and the processor fetches too little ahead by itself: of B this many bytes are asked for before they are needed, of
/// A the next strip.
constexpr int64_t kAheadBytes = 4096;
constexpr int64_t kCacheLine = 64;

/// `count` rows dealt to `blocks` blocks as equally as they can be: where block `i` starts.
SEXTANT_INLINE int64_t block_start(int64_t count, int64_t blocks, int64_t i) { return count * i / blocks; }

template <int R, class T>
void product_of_rows(const Product<T>& job) {
  using Vector = decltype(load(job.b));
  constexpr int64_t kWide = kLanes<T>;
  constexpr int64_t kPanelBytes = kPanelOf<T> * static_cast<int64_t>(sizeof(T));
  Vector sum[R][kVectors] = {};
  if (job.add) {
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sum[i][j] = load(job.c + i * job.c_stride + j * kWide);
    }
  }
  const T* a = job.a;
  const T* b = job.b;
  for (int64_t left = job.depth; left > 0; left -= kStrip) {
    const int64_t depth = left < kStrip ? left : kStrip;
    const T* const end = a + depth;
    const T* next = a + R * kStrip;
    for (const T* column = a; column != end; ++column, b += kPanelOf<T>, next += R) {
      __builtin_prefetch(next);
      Vector right[kVectors];
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) right[j] = load(b + j * kWide);
#pragma GCC unroll 2
      for (int64_t line = 0; line < kPanelBytes; line += kCacheLine) {
        __builtin_prefetch(reinterpret_cast<const char*>(b) + kAheadBytes + line);
      }
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) {
        const Vector left_row = splat(column[i * kStrip]);
#pragma GCC unroll 2
        for (int j = 0; j < kVectors; ++j) sum[i][j] += left_row * right[j];
      }
    }
    a += R * kStrip;
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) store(job.c + i * job.c_stride + j * kWide, sum[i][j]);
  }
}

template <class T>
void product(const Product<T>& job) {
  switch (job.rows) {
    case 1:
      return product_of_rows<1>(job);
    case 2:
      return product_of_rows<2>(job);
    case 3:
      return product_of_rows<3>(job);
    case 4:
      return product_of_rows<4>(job);
    case 5:
      return product_of_rows<5>(job);
    case 6:
      return product_of_rows<6>(job);
#if defined(__AVX512F__) || !defined(__x86_64__)
    case 7:
      return product_of_rows<7>(job);
    case 8:
      return product_of_rows<8>(job);
    case 9:
      return product_of_rows<9>(job);
    case 10:
      return product_of_rows<10>(job);
    case 11:
      return product_of_rows<11>(job);
    case 12:
      return product_of_rows<12>(job);
#endif
#if defined(__AVX512F__)
    case 13:
      return product_of_rows<13>(job);
    case 14:
      return product_of_rows<14>(job);
#endif
  }
}

}  // namespace
}  // namespace sextant::kernels::SEXTANT_ISA
