#include <ATen/core/grad_mode.h>

#include <cmath>
#include <limits>

#include "blocks.h"
#include "check.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {

Score entropy(const Tensor& f, double lambda) {
  const at::NoGradGuard no_grad;
  check_logits("entropy", f);
  if (!std::isfinite(lambda)) throw UsageError(c10::str("entropy: expected a finite lambda, got ", lambda, "."));
  const Tensor log_p = at::log_softmax(f, 1);  // finite where p underflows to 0: 0 log 0 = 0
  const Tensor p = log_p.exp();
  const Tensor H = -(p * log_p).sum(1, /*keepdim=*/true);
  // Prop. 1 prints p_k (log p_k + 1) against g_k = e_k - p; sum_k p_k g_k = 0, and the centred form does not rely on
  // that cancelling.
  return {lambda * H.squeeze(1), -lambda * p * (log_p + H)};
}

Tensor entropy_driven_scale(const Tensor& f, int64_t classes) {
  const at::NoGradGuard no_grad;
  check_logits("entropy_driven_scale", f);
  if (classes < 0 || classes == 1) {
    throw UsageError(c10::str("entropy_driven_scale: expected 2 or more classes, or 0 for the classifier's own, got ",
                              classes, "."));
  }
  const double smallest =
      f.scalar_type() == at::kFloat ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  const auto entropy_of = [](const Tensor& rows, const Tensor&) { return entropy(rows, 1); };
  const Tensor unused = at::zeros({f.size(0)}, f.options().dtype(at::kLong));
  const Tensor H = in_blocks(f, unused, entropy_of).value.clamp_min(smallest);
  return std::log(static_cast<double>(classes > 0 ? classes : f.size(1))) / H;
}

}  // namespace sextant::guidance
