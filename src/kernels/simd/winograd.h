// Winograd's minimal filtering F(2x2, 3x3) (Lavin & Gray 2015): Y = A^T [ (G g G^T) . (B^T d B) ] A with
//
//   B^T = |1  0 -1  0|    A^T = |1 1  1  0|
//         |0  1  1  0|          |0 1 -1 -1|
//         |0 -1  1  0|
//         |0  1  0 -1|    G g G^T is computed once, when the weights are laid out.
//
// 16 products for 4 outputs instead of 36; its factors are 1, -1 and 1/2, so it rounds hardly more than the direct sum.
#pragma once

#include "simd/product.h"

namespace sextant::kernels::SEXTANT_ISA {
namespace {

/// The four lines of B^T applied to d[0], d[step], d[2 step], d[3 step].
SEXTANT_INLINE void input_lines(Floats* d, int step) {
  const Floats d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
  d[0] = d0 - d2;
  d[step] = d1 + d2;
  d[2 * step] = d2 - d1;
  d[3 * step] = d1 - d3;
}

struct TilePosition {
  int64_t image, row, column;  ///< of the tile's first output pixel
};

SEXTANT_INLINE TilePosition tile_position(const Winograd& job, int64_t tile) {
  const int64_t across = (job.width + 1) / 2;
  const int64_t down = (job.height + 1) / 2;
  return {tile / (across * down), tile / across % down * 2, tile % across * 2};
}

void transform_tile(const Winograd& job, int64_t tile, float* to, int64_t point_stride, int64_t strip_stride) {
  const TilePosition at = tile_position(job, tile);
  const float* pixel[16];
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t j = 0; j < 4; ++j) {
      const int64_t row = at.row + i - 1;
      const int64_t column = at.column + j - 1;
      const bool inside = row >= 0 && row < job.height && column >= 0 && column < job.width;
      pixel[4 * i + j] = inside ? job.x + ((at.image * job.height + row) * job.width + column) * job.in : job.zeros;
    }
  }
  for (int64_t channel = 0; channel < job.in; channel += kWidth) {
    Floats d[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) d[i] = load(pixel[i] + channel);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) input_lines(d + i, 4);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) input_lines(d + 4 * i, 1);
    float* const place = to + channel / kStrip * strip_stride + channel % kStrip;
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) store(place + i * point_stride, d[i]);
  }
}

/// Adds bias and residual to the 2x2 pixels of a tile and writes them; `products` is the tile's first point.
void write_tile(const Winograd& job, int64_t tile, const float* products, int64_t point_stride, int64_t first_channel) {
  const TilePosition at = tile_position(job, tile);
  const int64_t channels = job.out - first_channel < kPanel ? job.out - first_channel : kPanel;
  const int64_t origin = ((at.image * job.height + at.row) * job.width + at.column) * job.out + first_channel;
  const bool second_row = at.row + 1 < job.height;
  const bool second_column = at.column + 1 < job.width;
  for (int64_t channel = 0; channel < channels; channel += kWidth) {
    Floats m[4][4], lines[2][4];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) m[i / 4][i % 4] = load(products + i * point_stride + channel);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      lines[0][j] = m[0][j] + m[1][j] + m[2][j];
      lines[1][j] = m[1][j] - m[2][j] - m[3][j];
    }
    const Floats bias = job.bias ? load(job.bias + first_channel + channel) : Floats{};
    const auto write = [&](int64_t place, Floats value) __attribute__((always_inline)) {
      place += origin + channel;
      if (job.residual) value += load(job.residual + place);
      store(job.y + place, value + bias);
    };
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      if (i == 1 && !second_row) break;
      const int64_t row = i * job.width * job.out;
      write(row, lines[i][0] + lines[i][1] + lines[i][2]);
      if (second_column) write(row + job.out, lines[i][1] - lines[i][2] - lines[i][3]);
    }
  }
}

void winograd(const Winograd& job) {
  const int64_t tiles = job.last_tile - job.first_tile;
  const int64_t blocks = (tiles + kRows - 1) / kRows;
  const int64_t depth = in_strips(job.in);
  const int64_t point_stride = tiles * depth + kStagger;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = block_start(tiles, blocks, block);
    const int64_t end = block_start(tiles, blocks, block + 1);
    for (int64_t tile = begin; tile < end; ++tile) {
      transform_tile(job, job.first_tile + tile, job.transformed + begin * depth + (tile - begin) * kStrip,
                     point_stride, (end - begin) * kStrip);
    }
  }
  const int64_t product_stride = tiles * kPanel + kStagger;
  for (int64_t panel = job.first_panel; panel < job.last_panel; ++panel) {
    const int64_t channel = panel * kPanel;
    const float* const weight = job.weight + channel * 16 * job.in;
    for (int64_t point = 0; point < 16; ++point) {
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t begin = block_start(tiles, blocks, block);
        const int64_t rows = block_start(tiles, blocks, block + 1) - begin;
        product<float>({job.transformed + point * point_stride + begin * depth, weight + point * job.in * kPanel,
                        job.products + point * product_stride + begin * kPanel, rows, job.in, kPanel, false});
      }
    }
    for (int64_t tile = 0; tile < tiles; ++tile) {
      write_tile(job, job.first_tile + tile, job.products + tile * kPanel, product_stride, channel);
    }
  }
}

}  // namespace
}  // namespace sextant::kernels::SEXTANT_ISA
