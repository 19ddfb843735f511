#include "check.h"
#include "sextant/calibration/calibration.h"

namespace sextant::calibration {

Predictions predict(const Tensor& f, const Tensor& y) {
  check_logits_and_labels("predict", f, y);
  const auto [confidence, unused] = at::softmax(f.to(at::kDouble), 1).max(1);
  // The logits decide: probabilities can round to a tie that logits do not have.
  const Tensor prediction = f.argmax(1);
  return {confidence, prediction, (prediction == y).to(at::kDouble)};
}

double accuracy(const Tensor& f, const Tensor& y) { return predict(f, y).correct.mean().item<double>(); }

double negative_log_likelihood(const Tensor& f, const Tensor& y) {
  check_logits_and_labels("negative_log_likelihood", f, y);
  const Tensor log_p = at::log_softmax(f.to(at::kDouble), 1).gather(1, y.unsqueeze(1));
  return 0.0 - log_p.mean().item<double>();  // of a classifier without doubt 0, which has no sign
}

double brier_score(const Tensor& f, const Tensor& y) {
  check_logits_and_labels("brier_score", f, y);
  const Tensor is_y = at::one_hot(y, f.size(1)).to(at::kDouble);
  return (at::softmax(f.to(at::kDouble), 1) - is_y).square().sum(1).mean().item<double>();
}

Tensor entropy(const Tensor& f) {
  check_logits("entropy", f);
  const Tensor log_p = at::log_softmax(f.to(at::kDouble), 1);
  return -(log_p.exp() * log_p).sum(1);
}

}  // namespace sextant::calibration
