#include "options.h"

#include "internal/evaluation/metric_rows.h"
#include "sextant/runtime/error.h"

namespace sextant::evaluation {

const std::vector<MetricRow>& metric_rows() {
  static const std::vector<MetricRow> kRows = {
      {"fid", Metric::kFid, "FID", "FID", true, MetricReads::kStatistics},
      {"sfid", Metric::kSfid, "sFID", "sFID", true, MetricReads::kStatistics},
      {"is", Metric::kInceptionScore, "Inception Score", "IS", false, MetricReads::kLogits},
      {"precision", Metric::kPrecision, "Precision", "precision", false, MetricReads::kFeatures},
      {"recall", Metric::kRecall, "Recall", "recall", false, MetricReads::kFeatures},
      {"density", Metric::kDensity, "Density", "density", false, MetricReads::kFeatures},
      {"coverage", Metric::kCoverage, "Coverage", "coverage", false, MetricReads::kFeatures},
      {"kid", Metric::kKid, "KID", "KID", true, MetricReads::kFeatures},
      {"fid-infinity", Metric::kFidInfinity, "FID infinity", "FID infinity", true, MetricReads::kStatistics},
      {"accuracy", Metric::kAccuracy, "Accuracy", "read as asked, %", false, MetricReads::kLabels},
      {"ece", Metric::kEce, "ECE", "ECE", true, MetricReads::kLabels},
  };
  return kRows;
}

const MetricRow& row_of(Metric metric) {
  for (const MetricRow& row : metric_rows()) {
    if (row.metric == metric) return row;
  }
  throw UsageError("metrics: one is no metric");
}

const std::vector<std::pair<std::string, Metric>>& metric_words() {
  static const auto kWords = [] {
    std::vector<std::pair<std::string, Metric>> words;
    for (const MetricRow& row : metric_rows()) words.emplace_back(row.word, row.metric);
    return words;
  }();
  return kWords;
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
