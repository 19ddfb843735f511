#include "internal/kernels/linear.h"

#include <ATen/Parallel.h>
#include <c10/util/StringUtil.h>
#include <torch/csrc/autograd/custom_function.h>

#include "images.h"
#include "internal/kernels/fused.h"
#include "panels.h"
#include "sextant/runtime/error.h"

namespace sextant::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Up to so many rows of an image, dot products; more are worth laying the weights out for. The two add up in different
// orders, so which one it is must not depend on the batch.
constexpr int64_t kFewRows = 64;
constexpr int64_t kRowsInCache = 1 << 17;  ///< numbers of x that stay close while the weights pass by

int64_t rows_of_an_image(const Tensor& x) {
  int64_t rows = 1;
  for (int64_t i = 1; i + 1 < x.dim(); ++i) rows *= x.size(i);
  return rows;
}

void dot_products(const Tensor& x, const Tensor& weight, const float* bias, const Tensor& y) {
  const int64_t rows = x.size(0), depth = x.size(1), columns = weight.size(0);
  const int64_t at_once = std::max<int64_t>(kFewRows, kRowsInCache / (depth + 1));
  for (int64_t first = 0; first < rows; first += at_once) {
    const int64_t count = std::min(at_once, rows - first);
    at::parallel_for(0, columns, std::max<int64_t>(4, 32768 / (count * depth + 1)), [&](int64_t begin, int64_t end) {
      simd().dots({data<float>(x) + first * depth, data<float>(weight) + begin * depth, bias ? bias + begin : nullptr,
                   mutable_data<float>(y) + first * columns + begin, count, end - begin, depth, columns});
    });
  }
}

/// x [..., last] as rows.
Tensor as_rows(const Tensor& x) { return x.contiguous().view({-1, x.size(-1)}); }

Tensor like_rows(const Tensor& y, const Tensor& x) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = y.size(1);
  return y.view(shape);
}

Tensor forward_of(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Tensor rows = as_rows(x);
  const Tensor y = at::empty({rows.size(0), weight.size(0)}, x.options());
  Tensor keep;
  const float* const bias_data = floats_or_null(bias, keep);
  const Tensor w = weight.contiguous();
  if (rows_of_an_image(x) <= kFewRows) {
    dot_products(rows, w, bias_data, y);
  } else {
    multiply({rows}, to_panels(w.t()), weight.size(0), bias_data, nullptr, y);
  }
  return like_rows(y, x);
}

/// With a gradient in x alone.
class FrozenLinear : public torch::autograd::Function<FrozenLinear> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const c10::optional<Tensor>& bias) {
    context->save_for_backward({weight});
    return forward_of(x, weight, bias.value_or(Tensor()));
  }

  static variable_list backward(AutogradContext* context, variable_list dy) {
    const Tensor weight = context->get_saved_variables()[0];
    const Tensor rows = as_rows(dy[0]);
    const Tensor dx = at::empty({rows.size(0), weight.size(1)}, rows.options());
    multiply({rows}, to_panels(weight), weight.size(1), nullptr, nullptr, dx);
    return {like_rows(dx, dy[0]), Tensor(), Tensor()};
  }
};

bool is_cpu_float(const Tensor& x) { return x.device().is_cpu() && x.scalar_type() == at::kFloat; }

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (weight.dim() != 2 || x.dim() < 1 || x.size(-1) != weight.size(1) ||
      (bias.defined() && bias.numel() != weight.size(0))) {
    throw ShapeError(c10::str("linear: input ", x.sizes(), " does not fit weight ", weight.sizes()));
  }
  // The head of a classifier in bfloat16: libtorch's product of few rows follows their number, this one does not.
  const bool head = x.dim() == 2 && x.device().is_cpu() && x.scalar_type() == at::kBFloat16;
  if (is_fused(Fused::kLinear) && head && weight.scalar_type() == at::kBFloat16 && fuses({weight, bias})) {
    return linear(x.to(at::kFloat), weight.to(at::kFloat), bias.defined() ? bias.to(at::kFloat) : bias)
        .to(at::kBFloat16);
  }
  const bool ours = is_fused(Fused::kLinear) && is_cpu_float(x) && is_cpu_float(weight) && x.numel() > 0;
  if (ours && fuses({x, weight, bias})) return forward_of(x, weight, bias);
  if (ours && fuses({weight, bias})) return FrozenLinear::apply(x, weight, if_defined(bias));
  return at::linear(x, weight, bias);
}

}  // namespace sextant::kernels
