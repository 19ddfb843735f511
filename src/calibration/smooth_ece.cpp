#include <ATen/core/grad_mode.h>

#include "check.h"
#include "sextant/calibration/calibration.h"
#include "sextant/runtime/error.h"

namespace sextant::calibration {

Loss smooth_ece(const Tensor& f, const Tensor& y, double beta) {
  const at::NoGradGuard no_grad;
  check_logits_and_labels("smooth_ece", f, y);
  kSmoothEceBeta.check("smooth_ece", "beta", beta);
  const double n = static_cast<double>(f.size(0));
  const Tensor p = at::softmax(f, 1);
  const Tensor prediction = f.argmax(1);
  const Tensor confidence = p.gather(1, prediction.unsqueeze(1));  // [N, 1]
  const Tensor correct = (prediction == y).unsqueeze(1).to(p.scalar_type());
  const Tensor r = confidence - correct;
  const Tensor root = (r * r + beta).sqrt();
  const Tensor is_prediction = at::one_hot(prediction, f.size(1)).to(p.scalar_type());
  return {root.mean(), r / root * confidence * (is_prediction - p) / n};
}

Loss cross_entropy_with_smooth_ece(const Tensor& f, const Tensor& y, double lambda, double beta) {
  const at::NoGradGuard no_grad;
  const Loss smooth = smooth_ece(f, y, beta);
  const Tensor log_p = at::log_softmax(f, 1);
  const Tensor is_y = at::one_hot(y, f.size(1)).to(f.scalar_type());
  const Tensor cross_entropy = -log_p.gather(1, y.unsqueeze(1)).mean();
  return {cross_entropy + lambda * smooth.value,
          (log_p.exp() - is_y) / static_cast<double>(f.size(0)) + lambda * smooth.gradient};
}

}  // namespace sextant::calibration
