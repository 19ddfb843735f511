#include "winograd.h"

#include <ATen/Parallel.h>

#include "images.h"
#include "simd/table.h"

namespace sextant::kernels {
namespace {

/// Tiles between two readings of the weights: few, so that their transforms stay in the cache, unless the weights are
/// so large that reading them would take longer than computing.
int64_t tiles_at_once(int64_t in, int64_t out) {
  const int64_t wanted = in * out > 1 << 17 ? 128 : 42;
  return wanted / simd().rows * simd().rows;
}

/// G g G^T of one 3x3 filter, in double: 16 numbers.
void transform(const float* g, double* u) {
  const double G[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  double lines[4][3];
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 3; ++j) lines[i][j] = G[i][0] * g[j] + G[i][1] * g[3 + j] + G[i][2] * g[6 + j];
  }
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) u[4 * i + j] = G[j][0] * lines[i][0] + G[j][1] * lines[i][1] + G[j][2] * lines[i][2];
  }
}

}  // namespace

Tensor to_winograd(const Tensor& weight) {
  const Tensor filters = weight.contiguous();
  const int64_t out = weight.size(0), in = weight.size(1), panel = simd().panel;
  const int64_t panels = (out + panel - 1) / panel;
  const Tensor result = at::zeros({panels, 16, in, panel}, at::kFloat);
  const float* const from = data<float>(filters);
  float* const to = mutable_data<float>(result);
  at::parallel_for(0, out, 1, [&](int64_t begin, int64_t end) {
    double u[16];
    for (int64_t o = begin; o < end; ++o) {
      for (int64_t i = 0; i < in; ++i) {
        transform(from + (o * in + i) * 9, u);
        float* const place = to + (o / panel * 16 * in + i) * panel + o % panel;
        for (int64_t point = 0; point < 16; ++point) place[point * in * panel] = static_cast<float>(u[point]);
      }
    }
  });
  return result;
}

void convolve_winograd(const Tensor& x, const Tensor& weight, int64_t out, const float* bias, const float* residual,
                       const Tensor& y) {
  const int64_t in = x.size(1), height = x.size(2), width = x.size(3), panels = weight.size(0);
  const int64_t tiles = x.size(0) * ((height + 1) / 2) * ((width + 1) / 2);
  const int64_t most = tiles_at_once(in, out);
  const int64_t threads = at::get_num_threads();
  const int64_t blocks = split_evenly((tiles + most - 1) / most, tiles);
  const int64_t shares = std::min(panels, (threads + blocks - 1) / blocks);
  const Tensor zeros = at::zeros({in}, at::kFloat);
  const int64_t transformed = 16 * (most * in_strips(in) + kStagger);
  at::parallel_for(0, blocks * shares, 1, [&](int64_t begin, int64_t end) {
    float* const buffer = scratch(transformed + 16 * (most * simd().panel + kStagger));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t block = task / shares, share = task % shares;
      simd().winograd({data<float>(x), data<float>(weight), bias, residual, mutable_data<float>(y), height, width, in,
                       out, tiles * block / blocks, tiles * (block + 1) / blocks, panels * share / shares,
                       panels * (share + 1) / shares, data<float>(zeros), buffer, buffer + transformed});
    }
  });
}

}  // namespace sextant::kernels
