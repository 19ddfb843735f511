#include "panels.h"

#include <ATen/Parallel.h>

#include "images.h"

namespace sextant::kernels {
namespace {

// Blocks of rows between two readings of the right side.
constexpr int64_t kBlocks = 8;

void loop(const Gemm<float>& job) { simd().gemm(job); }
void loop(const Gemm<double>& job) { simd().gemm_f64(job); }

template <class T>
Tensor panels_of(const Tensor& b) {
  const int64_t depth = b.size(0), columns = b.size(1), panel = panel_of<T>();
  Tensor result = at::empty({in_panels<T>(columns) / panel, depth, panel}, b.scalar_type());
  at::parallel_for(0, result.size(0), 1, [&](int64_t begin, int64_t end) {
    to_panels(data<T>(b) + begin * panel * b.stride(1), depth, std::min(columns, end * panel) - begin * panel,
              b.stride(0), b.stride(1), panel, T(1), mutable_data<T>(result) + begin * depth * panel);
  });
  return result;
}

}  // namespace

Tensor to_panels(const Tensor& b) {
  return b.scalar_type() == at::kDouble ? panels_of<double>(b) : panels_of<float>(b);
}

template <class T>
void run(const Gemm<T>& whole, bool lower) {
  const int64_t rows = whole.rows, panel = panel_of<T>();
  const int64_t panels = in_panels<T>(whole.columns) / panel;
  const int64_t most = kBlocks * simd().rows;
  const int64_t blocks = split_evenly((rows + most - 1) / most, rows);
  const int64_t shares = std::min(panels, (at::get_num_threads() + blocks - 1) / blocks);
  at::parallel_for(0, blocks * shares, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      // Threads are dealt consecutive tasks: of a triangle, short rows and long ones in turn.
      const int64_t turn = task / shares;
      const int64_t block = !lower || turn % 2 == 0 ? turn / (lower ? 2 : 1) : blocks - 1 - turn / 2;
      const int64_t share = task % shares;
      const int64_t first = rows * block / blocks, last = rows * (block + 1) / blocks;
      const int64_t used = lower ? std::min(panels, (last + panel - 1) / panel) : panels;
      Gemm<T> job = whole;
      job.a[0] += first * job.a_stride[0];
      if (job.a[1]) job.a[1] += first * job.a_stride[1];
      if (job.residual) job.residual += first * job.columns;
      job.y += first * job.columns;
      job.rows = last - first;
      job.first_panel = used * share / shares;
      job.last_panel = used * (share + 1) / shares;
      job.scratch = scratch<T>(job.rows * (in_strips(job.depth[0]) + in_strips(job.depth[1])));
      loop(job);
    }
  });
}

template void run(const Gemm<float>&, bool);
template void run(const Gemm<double>&, bool);

void multiply(at::TensorList x, const Tensor& panels, int64_t columns, const float* bias, const float* residual,
              const Tensor& y) {
  Gemm<float> job{};
  for (std::size_t i = 0; i < x.size(); ++i) {
    job.a[i] = data<float>(x[i]);
    job.depth[i] = job.a_stride[i] = x[i].size(1);
  }
  job.b = data<float>(panels);
  job.bias = bias;
  job.residual = residual;
  job.y = mutable_data<float>(y);
  job.rows = x[0].numel() / x[0].size(1);
  job.columns = columns;
  run(job);
}

}  // namespace sextant::kernels
