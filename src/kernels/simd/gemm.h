#pragma once

#include "simd/product.h"

namespace sextant::kernels::SEXTANT_ISA {
namespace {

/// Rows [0, rows) of a row-major matrix as strips.
template <class T>
void to_strips(const T* a, int64_t rows, int64_t depth, int64_t a_stride, T* strips) {
  for (int64_t strip = 0; strip < depth; strip += kStrip) {
    const int64_t width = depth - strip < kStrip ? depth - strip : kStrip;
    for (int64_t row = 0; row < rows; ++row, strips += kStrip) {
      const T* const from = a + row * a_stride + strip;
      in_vectors<T>(
          width, SEXTANT_BODY { store(strips + i, load(from + i, count)); });
    }
  }
}

template <class T>
void gemm(const Gemm<T>& job) {
  constexpr int64_t kWide = kPanelOf<T>;
  const int64_t depth = job.depth[0] + job.depth[1];
  const int64_t strips0 = in_strips(job.depth[0]);
  const int64_t strips1 = in_strips(job.depth[1]);
  const int64_t blocks = (job.rows + kRows - 1) / kRows;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = block_start(job.rows, blocks, block);
    const int64_t rows = block_start(job.rows, blocks, block + 1) - begin;
    to_strips(job.a[0] + begin * job.a_stride[0], rows, job.depth[0], job.a_stride[0], job.scratch + begin * strips0);
    if (job.depth[1] == 0) continue;
    to_strips(job.a[1] + begin * job.a_stride[1], rows, job.depth[1], job.a_stride[1],
              job.scratch + job.rows * strips0 + begin * strips1);
  }
  for (int64_t panel = job.first_panel; panel < job.last_panel; ++panel) {
    const int64_t column = panel * kWide;
    const int64_t columns = job.columns - column < kWide ? job.columns - column : kWide;
    const T* const b = job.b + column * depth;
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t begin = block_start(job.rows, blocks, block);
      const int64_t rows = block_start(job.rows, blocks, block + 1) - begin;
      // What the sums are added to lies in memory by now, and comes while they are made.
      for (int64_t row = 0; row < rows; ++row) {
        const T* const place = job.y + (begin + row) * job.columns + column;
        __builtin_prefetch(place);
        __builtin_prefetch(place + kLanes<T>);
      }
      T sums[kRows * kWide];
      product<T>({job.scratch + begin * strips0, b, sums, rows, job.depth[0], kWide, false});
      if (job.depth[1] != 0) {
        product<T>({job.scratch + job.rows * strips0 + begin * strips1, b + job.depth[0] * kWide, sums, rows,
                    job.depth[1], kWide, true});
      }
      for (int64_t row = 0; row < rows; ++row) {
        const int64_t place = (begin + row) * job.columns + column;
        in_vectors<T>(
            columns, SEXTANT_BODY {
              auto value = load(sums + row * kWide + i);
              if (job.bias) value += load(job.bias + column + i, count);
              if (job.residual) value += load(job.residual + place + i, count);
              store(job.y + place + i, value, count);
            });
      }
    }
  }
}

template <int R, int C>
void dots_block(const Dots& job, int64_t row, int64_t column) {
  Floats sum[R][C] = {};
  in_vectors(
      job.depth, SEXTANT_BODY {
        Floats x[R];
        for (int r = 0; r < R; ++r) x[r] = load(job.x + (row + r) * job.depth + i, count);
#pragma GCC unroll 8
        for (int c = 0; c < C; ++c) {
          const Floats w = load(job.w + (column + c) * job.depth + i, count);
#pragma GCC unroll 8
          for (int r = 0; r < R; ++r) sum[r][c] += x[r] * w;
        }
      });
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      const float bias = job.bias ? job.bias[column + c] : 0.0f;
      job.y[(row + r) * job.y_stride + column + c] = sum_of_lanes(sum[r][c]) + bias;
    }
  }
}

template <int C>
void dots_columns(const Dots& job, int64_t column) {
  int64_t row = 0;
  for (; row + 4 <= job.rows; row += 4) dots_block<4, C>(job, row, column);
  for (; row < job.rows; ++row) dots_block<1, C>(job, row, column);
}

/// Columns outside: the weights are the larger matrix, and are read once.
void dots(const Dots& job) {
  int64_t column = 0;
  for (; column + 4 <= job.columns; column += 4) dots_columns<4>(job, column);
  for (; column < job.columns; ++column) dots_columns<1>(job, column);
}

}  // namespace
}  // namespace sextant::kernels::SEXTANT_ISA
