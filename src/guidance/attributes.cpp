#include <ATen/core/grad_mode.h>

#include <cmath>

#include "check.h"
#include "internal/runtime/constant.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {
namespace {

Tensor weights_like(const Tensor& f, const Constant& weights) {
  const int64_t n = weights.value().size(0);
  if (n == 0) return at::ones({f.size(1)}, f.options());
  if (n != f.size(1)) {
    throw UsageError(c10::str("attribute_score: expected ", f.size(1), " weights, one an attribute, got ", n, "."));
  }
  return weights.like(f);
}

}  // namespace

ScoreFunction attribute_score(ScoreFunction of_two_classes, std::vector<double> weights) {
  for (const double weight : weights) {
    if (!std::isfinite(weight)) throw UsageError(c10::str("attribute_score: expected finite weights, got ", weight));
  }
  return [score = std::move(of_two_classes), weights = Constant(at::tensor(weights, at::kDouble))](
             const Tensor& f, const Tensor&, const Step& step) {
    const at::NoGradGuard no_grad;
    const int64_t N = f.size(0), K = f.size(1);
    const Tensor w = weights_like(f, weights) * (f != 0).to(f.scalar_type());
    const Tensor pairs = at::stack({-f / 2, f / 2}, 2).view({N * K, 2});
    const Score each = score(pairs, at::ones({N * K}, f.options().dtype(at::kLong)), step);
    const Tensor slope = (each.gradient.select(1, 1) - each.gradient.select(1, 0)) / 2;
    return Score{(w * each.value.view({N, K})).sum(1), w * slope.view({N, K})};
  };
}

}  // namespace sextant::guidance
