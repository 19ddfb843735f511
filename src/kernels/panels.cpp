#include "panels.h"

#include <ATen/Parallel.h>

#include "images.h"

namespace sextant::kernels {
namespace {

// Blocks of rows between two readings of the right side.
constexpr int64_t kBlocks = 8;

}  // namespace

Tensor to_panels(const Tensor& b) {
  const int64_t depth = b.size(0), columns = b.size(1), panel = simd().panel;
  Tensor result = at::empty({in_panels(columns) / panel, depth, panel}, at::kFloat);
  at::parallel_for(0, result.size(0), 1, [&](int64_t begin, int64_t end) {
    to_panels(data<float>(b) + begin * panel * b.stride(1), depth, std::min(columns, end * panel) - begin * panel,
              b.stride(0), b.stride(1), panel, 1.0f, mutable_data<float>(result) + begin * depth * panel);
  });
  return result;
}

void multiply(at::TensorList x, const Tensor& panels, int64_t columns, const float* bias, const float* residual,
              const Tensor& y) {
  const int64_t depth0 = x[0].size(1), depth1 = x.size() > 1 ? x[1].size(1) : 0;
  const int64_t rows = x[0].numel() / depth0;
  const int64_t most = kBlocks * simd().rows;
  const int64_t blocks = split_evenly((rows + most - 1) / most, rows);
  const int64_t shares = std::min(panels.size(0), (at::get_num_threads() + blocks - 1) / blocks);
  at::parallel_for(0, blocks * shares, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = rows * (task / shares) / blocks, last = rows * (task / shares + 1) / blocks;
      const int64_t share = task % shares;
      Gemm job{};
      job.a[0] = data<float>(x[0]) + first * depth0;
      job.a[1] = depth1 ? data<float>(x[1]) + first * depth1 : nullptr;
      job.depth[0] = job.a_stride[0] = depth0;
      job.depth[1] = job.a_stride[1] = depth1;
      job.b = data<float>(panels);
      job.bias = bias;
      job.residual = residual ? residual + first * columns : nullptr;
      job.y = mutable_data<float>(y) + first * columns;
      job.rows = last - first;
      job.columns = columns;
      job.first_panel = panels.size(0) * share / shares;
      job.last_panel = panels.size(0) * (share + 1) / shares;
      job.scratch = scratch(job.rows * (in_strips(depth0) + in_strips(depth1)));
      simd().gemm(job);
    }
  });
}

}  // namespace sextant::kernels
