#include <ATen/core/grad_mode.h>

#include <cmath>

#include "sextant/guidance/guide.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {
namespace {

void check_scores(const char* caller, const Tensor& scores, double tilt) {
  if (scores.dim() != 1 || scores.size(0) == 0 || !scores.is_floating_point()) {
    throw ShapeError(c10::str(caller, ": expected scores [N], one per sample of the batch, got ", scores.scalar_type(),
                              " ", scores.sizes(), "."));
  }
  if (!std::isfinite(tilt))
    throw UsageError(c10::str(caller, ": expected a finite tilt, got ", tilt, "; 0 turns it off."));
}

}  // namespace

Tensor tilt_weights(const Tensor& scores, double tilt, TiltForm form) {
  const at::NoGradGuard no_grad;
  check_scores("tilt_weights", scores, tilt);
  const auto N = static_cast<double>(scores.size(0));
  const double total = form == TiltForm::kMeanPreserving ? N : 1.0;
  // Exactly 1 without tilt, which N softmax(0) is not for every N.
  if (tilt == 0) return at::full_like(scores, total / N);
  // libtorch 1.13 has no softmax of half floats on a CPU.
  const bool reduced = scores.element_size() < 4;
  const Tensor exponent = tilt * (reduced ? scores.to(at::kFloat) : scores);
  return (total * at::softmax(exponent, 0)).to(scores.scalar_type());
}

Tensor tilted_score(const Tensor& scores, double tilt) {
  const at::NoGradGuard no_grad;
  check_scores("tilted_score", scores, tilt);
  if (tilt == 0) return scores.to(at::kDouble).mean().to(scores.scalar_type()).unsqueeze(0);
  // (1/t) log mean exp(t S), its largest term taken out; expm1 and log1p keep the digits that 1/t would lose as t -> 0.
  const Tensor exponent = tilt * scores.to(at::kDouble);
  const Tensor largest = exponent.max();
  const Tensor log_mean_exp = largest + (exponent - largest).expm1().mean().log1p();
  return (log_mean_exp / tilt).to(scores.scalar_type()).unsqueeze(0);
}

}  // namespace sextant::guidance
