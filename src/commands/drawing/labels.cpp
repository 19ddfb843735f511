#include "drawing/labels.h"

#include "common/indices.h"
#include "internal/commands/sample.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"

namespace sextant::commands {
Labels::Labels(const std::string& text, const std::string& flag) : flag_(flag) {
  if (text == kRandomLabels) return;
  classes_ = parse_indices(text, flag_, "class", std::string(kRandomLabels) + ", or ");
}

void Labels::check(int64_t num_classes, const std::string& whose) const {
  for (const int64_t c : classes_) {
    if (c < num_classes) continue;
    throw UsageError(flag_ + ": class " + std::to_string(c) + " is not one of " + whose + ", 0-" +
                     std::to_string(num_classes - 1));
  }
}

Tensor Labels::of(const std::vector<int64_t>& samples, uint64_t seed, int64_t num_classes) const {
  if (random()) return uniform_labels(seed, samples, num_classes);
  const Tensor labels = at::empty({static_cast<int64_t>(samples.size())}, at::kLong);
  int64_t* out = labels.data_ptr<int64_t>();
  for (const int64_t sample : samples) *out++ = classes_[static_cast<std::size_t>(sample) % classes_.size()];
  return labels;
}

}  // namespace sextant::commands
