// The table of metrics: all that is said about one, in one place.
#pragma once

#include <string>
#include <vector>

#include "sextant/evaluation/evaluate.h"

namespace sextant::evaluation {

/// What a metric is computed from.
enum class MetricReads {
  kStatistics,  ///< mean and covariance of the features of samples and reference
  kFeatures,    ///< those features
  kLogits,      ///< of the samples, by the feature network
  kLabels,      ///< of the samples, and logits by the feature network or another classifier
};

struct MetricRow {
  std::string word;  ///< in results and settings: "fid"
  Metric metric;
  std::string label;    ///< "Inception Score"
  std::string heading;  ///< of a column of a sweep's table: "IS"
  bool smaller_is_better;
  MetricReads reads;
};

/// All of them, in the order in which they are shown.
const std::vector<MetricRow>& metric_rows();

/// UsageError for a number that is none of the enumerators.
const MetricRow& row_of(Metric metric);

}  // namespace sextant::evaluation
