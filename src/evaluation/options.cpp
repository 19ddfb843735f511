#include "options.h"

#include "sextant/runtime/error.h"

namespace sextant::evaluation {

const std::vector<std::pair<std::string, Metric>>& metric_words() {
  static const std::vector<std::pair<std::string, Metric>> kWords = {{"fid", Metric::kFid},
                                                                     {"sfid", Metric::kSfid},
                                                                     {"is", Metric::kInceptionScore},
                                                                     {"precision", Metric::kPrecision},
                                                                     {"recall", Metric::kRecall},
                                                                     {"density", Metric::kDensity},
                                                                     {"coverage", Metric::kCoverage},
                                                                     {"kid", Metric::kKid},
                                                                     {"fid-infinity", Metric::kFidInfinity},
                                                                     {"accuracy", Metric::kAccuracy},
                                                                     {"ece", Metric::kEce}};
  return kWords;
}

std::string word_of(Metric metric) {
  for (const auto& [word, named] : metric_words()) {
    if (named == metric) return word;
  }
  throw UsageError("metrics: one is no metric");
}

void check(const EvaluateOptions& options) {
  const auto in_range = [](const char* setting, const Range& range, auto value) {
    range.check("evaluate", setting, static_cast<double>(value));
  };
  in_range("neighbours", options.kNeighbours, options.neighbours);
  in_range("kid-subsets", options.kKidSubsets, options.kid_subsets);
  in_range("kid-subset-size", options.kKidSubsetSize, options.kid_subset_size);
  in_range("bootstrap", options.kBootstrap, options.bootstrap);
  in_range("bootstrap-fid", options.kBootstrapFid, options.bootstrap_fid);
  in_range("level", options.kLevel, options.level);
  if (options.bootstrap == 1 || options.bootstrap_fid == 1) {
    throw UsageError("evaluate: bootstrap: one resample makes no interval; 0 leaves it out, 1000 is usual");
  }
}

}  // namespace sextant::evaluation
