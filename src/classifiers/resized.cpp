#include "internal/runtime/text.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"

namespace sextant::classifiers {
const std::vector<std::pair<std::string, Resize>>& resize_words() {
  static const std::vector<std::pair<std::string, Resize>> kWords = {
      {"bilinear", Resize::kBilinear}, {"bicubic", Resize::kBicubic}, {"area", Resize::kArea}};
  return kWords;
}

Resize parse_resize(const std::string& word) {
  std::vector<std::string> words;
  for (const auto& [known, filter] : resize_words()) {
    if (known == word) return filter;
    words.push_back(known);
  }
  throw UsageError("resize '" + word + "' is unknown; use " + joined(words, ", ", " or ") + "." +
                   did_you_mean(word, words));
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
  Range{1}.check("sized", "size", static_cast<double>(size));
  return {[logits = classifier.logits, size, how](const Tensor& x, const Tensor& t, const SampleIds& ids) {
            return logits(resized(x, size, size, how), t, ids);
          },
          classifier.classes, classifier.uses_time};
}

}  // namespace sextant::classifiers
