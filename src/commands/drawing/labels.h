// Which class each sample is asked to be.
#pragma once

#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::commands {

/// What --labels says: kRandomLabels, or classes and ranges such as "3", "0-9" or "0,3,7-9", which the samples take in
/// turn.
class Labels {
 public:
  /// UsageError when `text` is neither. `flag` names the setting in errors.
  explicit Labels(const std::string& text, const std::string& flag = "--labels");

  bool random() const { return classes_.empty(); }

  /// UsageError unless every class is below `num_classes`; `whose` says whose classes those are.
  void check(int64_t num_classes, const std::string& whose) const;

  /// The classes of the samples with these indices: [N] int64. Random ones are keyed by seed and sample.
  Tensor of(const std::vector<int64_t>& samples, uint64_t seed, int64_t num_classes) const;

 private:
  std::string flag_;
  std::vector<int64_t> classes_;
};

}  // namespace sextant::commands
