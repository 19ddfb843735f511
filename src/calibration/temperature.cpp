#include <limits>

#include "check.h"
#include "sextant/calibration/calibration.h"
#include "sextant/runtime/error.h"

namespace sextant::calibration {
namespace {

/// First and second derivative of the negative log likelihood of s f by s = 1/T: the likelihood is log-concave in s.
struct Slope {
  double first, second;
};

Slope slope_at(double s, const Tensor& f, const Tensor& f_y) {
  const Tensor p = at::softmax(s * f, 1);
  const Tensor mean = (p * f).sum(1, /*keepdim=*/true);      // E_p[f]
  const Tensor variance = (p * (f - mean).square()).sum(1);  // Var_p[f]
  return {(mean - f_y).mean().item<double>(), variance.mean().item<double>()};
}

}  // namespace

double fit_temperature(const Tensor& logits, const Tensor& labels) {
  check_logits_and_labels("fit_temperature", logits, labels);
  const Tensor raw = logits.detach().to(at::kDouble);
  // Scaled to a largest gap of 1, so that the search for s starts near 1 whatever the units of the logits.
  const Tensor gaps = std::get<0>(raw.max(1, true)) - raw;
  const double size = gaps.max().item<double>();
  const Tensor f = -gaps / (size > 0 ? size : 1);
  const Tensor f_y = f.gather(1, labels.unsqueeze(1));
  if (slope_at(0, f, f_y).first >= 0) {
    throw NumericError(
        "fit_temperature: no finite temperature: the labels are no likelier than chance; do they belong to "
        "these logits?");
  }
  if (f_y.min().item<double>() == 0) {
    throw NumericError(
        "fit_temperature: no best temperature: every prediction is right, so any lower temperature fits better; use "
        "more "
        "samples or ones the classifier was not trained on");
  }
  // Now the slope grows from below zero to the mean gap of the wrong labels, above zero.
  double low = 0;
  double high = 1;
  while (slope_at(high, f, f_y).first < 0) {
    low = high;
    high *= 4;
  }
  double s = (low + high) / 2;
  for (int step = 0; step < 200 && high - low > 1e-12 * high; ++step) {
    const Slope slope = slope_at(s, f, f_y);
    (slope.first < 0 ? low : high) = s;
    const double newton = s - slope.first / slope.second;
    const double next = newton > low && newton < high ? newton : (low + high) / 2;
    if (std::abs(next - s) <= 1e-11 * s) break;
    s = next;
  }
  return size / s;
}

}  // namespace sextant::calibration
