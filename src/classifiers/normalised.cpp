#include <c10/util/StringUtil.h>

#include "internal/runtime/constant.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/range.h"

namespace sextant::classifiers {
namespace {

/// ((x + 1)/2 (high - low) + low - mean) / std as one multiply-add per pixel.
struct Affine {
  Constant scale;  ///< [1, C or 1, 1, 1] float64
  Constant shift;
};

void check(const InputConvention& convention) {
  const Range bounded{convention.low, kUnlimited, /*above=*/true};
  bounded.check("classifier", "the end of its pixels' range", convention.high);
  if (convention.std.size() != convention.mean.size()) {
    throw UsageError(c10::str("classifier: its input has ", convention.mean.size(), " means and ",
                              convention.std.size(), " deviations; give one of each for a channel"));
  }
  for (const double std : convention.std) {
    Range{0, kUnlimited, /*above=*/true}.check("classifier", "a deviation of its input", std);
  }
}

Affine affine(const InputConvention& convention) {
  const double half = (convention.high - convention.low) / 2;
  const std::size_t channels = std::max<std::size_t>(1, convention.mean.size());
  std::vector<double> scale(channels, half);
  std::vector<double> shift(channels, half + convention.low);
  for (std::size_t c = 0; c < convention.mean.size(); ++c) {
    scale[c] = half / convention.std[c];
    shift[c] = (half + convention.low - convention.mean[c]) / convention.std[c];
  }
  return {Constant(at::tensor(scale, at::kDouble).view({1, -1, 1, 1})),
          Constant(at::tensor(shift, at::kDouble).view({1, -1, 1, 1}))};
}

}  // namespace

guidance::Classifier normalised(guidance::Classifier classifier, const InputConvention& convention) {
  check(convention);
  if (convention.mean.empty() && convention.low == -1 && convention.high == 1) return classifier;
  const auto channels = static_cast<int64_t>(convention.mean.size());
  const auto logits = [channels, logits = classifier.logits, pixels = affine(convention)](
                          const Tensor& x, const Tensor& t, const SampleIds& ids) {
    if (channels > 0 && channels != x.size(1)) {
      throw ShapeError(c10::str("classifier: its input has ", channels, " channels, the images have ", x.size(1)));
    }
    return logits(at::addcmul(pixels.shift.like(x), x, pixels.scale.like(x)), t, ids);
  };
  return {logits, classifier.classes, classifier.uses_time};
}

}  // namespace sextant::classifiers
