#include <c10/util/StringUtil.h>

#include "sextant/classifiers/classifiers.h"
#include "sextant/runtime/error.h"

namespace sextant::models {
namespace {

/// ((x + 1)/2 (high - low) + low - mean) / std as one multiply-add per pixel.
class Normalised : public guidance::Classifier {
 public:
  Normalised(ClassifierPtr classifier, const InputConvention& convention) : classifier_(std::move(classifier)) {
    const double half = (convention.high - convention.low) / 2;
    const std::size_t channels = std::max<std::size_t>(1, convention.mean.size());
    std::vector<double> scale(channels, half);
    std::vector<double> shift(channels, half + convention.low);
    for (std::size_t c = 0; c < convention.mean.size(); ++c) {
      scale[c] = half / convention.std[c];
      shift[c] = (half + convention.low - convention.mean[c]) / convention.std[c];
    }
    scale_ = at::tensor(scale, at::kDouble).view({1, -1, 1, 1});
    shift_ = at::tensor(shift, at::kDouble).view({1, -1, 1, 1});
  }

  Tensor logits(const Tensor& x, const Tensor& t) const override {
    if (scale_.size(1) > 1 && scale_.size(1) != x.size(1)) {
      throw ShapeError(
          c10::str("classifier: its input has ", scale_.size(1), " channels, the images have ", x.size(1)));
    }
    return classifier_->logits(at::addcmul(shift_.to(x.options()), x, scale_.to(x.options())), t);
  }
  int64_t num_classes() const override { return classifier_->num_classes(); }
  bool uses_time() const override { return classifier_->uses_time(); }

 private:
  ClassifierPtr classifier_;
  Tensor scale_;
  Tensor shift_;
};

}  // namespace

ClassifierPtr normalised(ClassifierPtr classifier, const InputConvention& convention) {
  if (convention.mean.empty() && convention.low == -1 && convention.high == 1) return classifier;
  return std::make_shared<const Normalised>(std::move(classifier), convention);
}

}  // namespace sextant::models
