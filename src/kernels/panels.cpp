#include "kernels/panels.h"

#include <ATen/Parallel.h>

#include "kernels/images.h"

namespace sextant::kernels {

namespace {

// Blocks of rows between two readings of the right side.
constexpr int64_t kBlocks = 8;

}  // namespace

Tensor to_panels(const Tensor& w) {
  const int64_t columns = w.size(0), depth = w.size(1), panel = simd().panel;
  const int64_t panels = (columns + panel - 1) / panel;
  Tensor result = at::zeros({panels, depth, panel}, at::kFloat);
  const float* const from = data<float>(w);
  float* const to = mutable_data<float>(result);
  at::parallel_for(0, panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t column = begin * panel; column < std::min(columns, end * panel); ++column) {
      float* const line = to + column / panel * depth * panel + column % panel;
      for (int64_t k = 0; k < depth; ++k) line[k * panel] = from[column * depth + k];
    }
  });
  return result;
}

void multiply(at::TensorList x, const Tensor& panels, int64_t columns, const float* bias, const float* residual,
              const Tensor& y) {
  const auto depth_of = [](const Tensor& part) { return part.size(1); };
  const int64_t depth0 = depth_of(x[0]), depth1 = x.size() > 1 ? depth_of(x[1]) : 0;
  const int64_t rows = x[0].numel() / depth0;
  const int64_t threads = at::get_num_threads();
  const int64_t most = kBlocks * simd().rows;
  const int64_t blocks = split_evenly((rows + most - 1) / most, rows);
  const int64_t shares = std::min(panels.size(0), (threads + blocks - 1) / blocks);
  at::parallel_for(0, blocks * shares, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = rows * (task / shares) / blocks, last = rows * (task / shares + 1) / blocks;
      const int64_t share = task % shares;
      simd().gemm({{data<float>(x[0]) + first * depth0, depth1 ? data<float>(x[1]) + first * depth1 : nullptr},
                   {depth0, depth1},
                   data<float>(panels),
                   bias,
                   residual ? residual + first * columns : nullptr,
                   mutable_data<float>(y) + first * columns,
                   last - first,
                   columns,
                   panels.size(0) * share / shares,
                   panels.size(0) * (share + 1) / shares,
                   scratch((last - first) * (in_strips(depth0) + in_strips(depth1)))});
    }
  });
}

}  // namespace sextant::kernels
