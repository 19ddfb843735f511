#include "internal/kernels/linear.h"

#include <ATen/Parallel.h>
#include <c10/util/StringUtil.h>

#include "images.h"
#include "internal/kernels/fused.h"
#include "panels.h"
#include "sextant/runtime/error.h"

namespace sextant::kernels {
namespace {

// Below, every weight is used too rarely to be worth laying out.
constexpr int64_t kFewRows = 64;

void few_rows(const Tensor& x, const Tensor& weight, const float* bias, const Tensor& y) {
  const int64_t rows = x.size(0), depth = x.size(1), columns = weight.size(0);
  at::parallel_for(0, columns, std::max<int64_t>(4, 32768 / (rows * depth + 1)), [&](int64_t begin, int64_t end) {
    simd().dots({data<float>(x), data<float>(weight) + begin * depth, bias ? bias + begin : nullptr,
                 mutable_data<float>(y) + begin, rows, end - begin, depth, columns});
  });
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (weight.dim() != 2 || x.dim() < 1 || x.size(-1) != weight.size(1) ||
      (bias.defined() && bias.numel() != weight.size(0))) {
    throw ShapeError(c10::str("linear: input ", x.sizes(), " does not fit weight ", weight.sizes()));
  }
  const bool floats = is_fused(Fused::kLinear) && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat;
  if (!floats || !fuses({x, weight, bias}) || x.numel() == 0) return frozen_linear(x, weight, bias);
  const Tensor rows = x.contiguous().view({-1, x.size(-1)});
  const Tensor y = at::empty({rows.size(0), weight.size(0)}, x.options());
  Tensor keep;
  const float* const bias_data = floats_or_null(bias, keep);
  const Tensor w = weight.contiguous();
  if (rows.size(0) <= kFewRows) {
    few_rows(rows, w, bias_data, y);
  } else {
    multiply({rows}, to_panels(w.t()), weight.size(0), bias_data, nullptr, y);
  }
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return y.view(shape);
}

}  // namespace sextant::kernels
