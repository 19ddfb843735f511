// Batches of matrix products that do not go through the BLAS; see internal/kernels/product.h.
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "images.h"
#include "panels.h"

namespace sextant::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Tensor batch_of_products(const Tensor& a_any, const Tensor& b) {
  // The left side is read along its rows.
  const Tensor a = a_any.stride(3) == 1 || a_any.size(3) == 1 ? a_any : a_any.contiguous();
  const int64_t heads = a.size(1), rows = a.size(2), depth = a.size(3), columns = b.size(3);
  const Tensor y = at::empty({a.size(0), heads, rows, columns}, a.options());
  const int64_t pairs = a.size(0) * heads;
  const int64_t most = 8 * simd().rows;
  const int64_t panels_size = depth * in_panels(columns);
  // Few products are shared by several threads, each with its own copy of the right side.
  const int64_t shares = std::min(rows, (at::get_num_threads() + pairs - 1) / pairs);
  at::parallel_for(0, pairs * shares, 1, [&](int64_t begin, int64_t end) {
    float* const panels = scratch(panels_size + most * in_strips(depth));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t image = task / shares / heads, head = task / shares % heads;
      const auto matrix = [&](const Tensor& x) { return data<float>(x) + image * x.stride(0) + head * x.stride(1); };
      to_panels(matrix(b), depth, columns, b.stride(2), b.stride(3), simd().panel, 1.0f, panels);
      const int64_t last = rows * (task % shares + 1) / shares;
      for (int64_t row = rows * (task % shares) / shares; row < last; row += most) {
        Gemm<float> job{};
        job.a[0] = matrix(a) + row * a.stride(2);
        job.depth[0] = depth;
        job.a_stride[0] = a.stride(2);
        job.b = panels;
        job.y = mutable_data<float>(y) + ((image * heads + head) * rows + row) * columns;
        job.rows = std::min(most, last - row);
        job.columns = columns;
        job.last_panel = in_panels(columns) / simd().panel;
        job.scratch = panels + panels_size;
        simd().gemm(job);
      }
    }
  });
  return y;
}

class Product : public torch::autograd::Function<Product> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& a, const Tensor& b) {
    context->save_for_backward({a, b});
    return batch_of_products(a, b);
  }
  static variable_list backward(AutogradContext* context, variable_list dy) {
    const auto saved = context->get_saved_variables();
    return {batch_of_products(dy[0], saved[1].transpose(2, 3)), batch_of_products(saved[0].transpose(2, 3), dy[0])};
  }
};

}  // namespace

Tensor matrix_product(const Tensor& a, const Tensor& b) { return Product::apply(a, b); }

}  // namespace sextant::kernels
