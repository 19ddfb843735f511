#include "internal/runtime/text.h"
#include "sextant/classifiers/input.h"
#include "sextant/runtime/error.h"

namespace sextant::classifiers {
std::vector<std::string> resize_names() { return {"bilinear", "bicubic", "area"}; }

Resize parse_resize(const std::string& name) {
  const std::vector<std::string> names = resize_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<Resize>(found - names.begin());
  throw UsageError("resize '" + name + "' is unknown; use " + joined(names, ", ", " or ") + "." +
                   did_you_mean(name, names));
}

Tensor resized(const Tensor& x, int64_t height, int64_t width, Resize how) {
  if (x.size(2) == height && x.size(3) == width) return x;
  const std::vector<int64_t> size = {height, width};
  switch (how) {
    case Resize::kBilinear:
      return at::_upsample_bilinear2d_aa(x, size, /*align_corners=*/false);
    case Resize::kBicubic:
      return at::_upsample_bicubic2d_aa(x, size, /*align_corners=*/false);
    case Resize::kArea:
      return at::adaptive_avg_pool2d(x, size);
  }
  throw UsageError("resize: unknown filter");
}

guidance::Classifier sized(guidance::Classifier classifier, int64_t size, Resize how) {
  return {[logits = classifier.logits, size, how](const Tensor& x, const Tensor& t, const SampleIds& ids) {
            return logits(resized(x, size, size, how), t, ids);
          },
          classifier.classes, classifier.uses_time};
}

}  // namespace sextant::classifiers
