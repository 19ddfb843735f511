// Scores a set of images against a reference set: their features are compared by the functions of metrics/, and the
// result says under which conventions.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sextant/evaluation/embed.h"
#include "sextant/metrics/features.h"
#include "sextant/metrics/logits.h"
#include "sextant/runtime/range.h"

namespace sextant::evaluation {

enum class Metric {
  kFid,
  kSfid,
  kInceptionScore,
  kPrecision,
  kRecall,
  kDensity,
  kCoverage,
  kKid,
  kFidInfinity,
  kAccuracy,
  kEce
};

/// Their words in results and settings: "fid", "sfid", "is", ..., "fid-infinity", "accuracy", "ece".
const std::vector<std::pair<std::string, Metric>>& metric_words();

struct EvaluateOptions {
  Protocol protocol = Protocol::kOpenAi;
  std::vector<Metric> metrics;  ///< empty takes all that the data allow but kFidInfinity
  int64_t neighbours = 3;       ///< of precision and recall
  static constexpr Range kNeighbours{1, 1e6};
  int64_t kid_subsets = 100;
  static constexpr Range kKidSubsets{1, 1e6};
  int64_t kid_subset_size = 1000;  ///< at most; smaller sets are taken whole
  static constexpr Range kKidSubsetSize{2, 1e6};
  int64_t bootstrap = 1000;  ///< resamples for precision, recall and accuracy; 0 for no intervals; 1 is refused
  static constexpr Range kBootstrap{0, 1e6};
  int64_t bootstrap_fid = -1;  ///< those of FID, a distance each; -1: 100 up to 512 dimensions, else 0
  static constexpr Range kBootstrapFid{-1, 1e6};
  double level = 0.95;  ///< of the intervals
  static constexpr Range kLevel{0.5, 0.9999};
  bool judge_labels = false;  ///< "accuracy" and "ece": the network's classes are those of the labels
  /// The labels are places of folder names in sorted order: "accuracy" and "ece" only where asked for by name.
  bool labels_unsure = false;
  std::string judge_name;  ///< path of the classifier that judged instead, if one did
};

struct Measure {
  std::string key;    ///< its word, "fid"
  std::string label;  ///< "FID"
  double value = 0;
  std::optional<double> deviation;  ///< over parts or subsets, where the metric is defined with one
  /// Precision, recall and accuracy: percentiles; FID: value -+ z times the deviation, because resampled sets lie
  /// farther from any reference than the set itself.
  std::optional<metrics::Interval> interval;
};

struct Evaluation {
  Protocol protocol = Protocol::kOpenAi;
  std::string extractor, extractor_hash;
  int64_t dimensions = 0;
  std::string classifier;  ///< whose classes "accuracy" and "ece" are; the feature network's where empty
  std::string sample_source, reference_source;
  int64_t sample_count = 0, reference_count = 0;
  std::vector<std::string> skipped;  ///< samples that could not be read
  std::vector<Measure> measures;
  std::optional<metrics::ClassAccuracy> classes;
  std::vector<std::string> notes;  ///< what a reader must know to compare the numbers
  double level = 0.95;
};

/// Inception Score, accuracy and ECE need no reference: then it may be empty. "is-shuffled" comes beside "is" where the
/// protocol goes by the order of the images and that matters. Nothing when `stop` was requested. UsageError for a
/// setting out of its range and for a metric asked for that the data do not allow.
std::optional<Evaluation> evaluate(const Embedding& samples, const Embedding& reference,
                                   const FeatureExtractor& extractor, const EvaluateOptions& options,
                                   Progress& progress, const Stop& stop);

nlohmann::json to_json(const Evaluation& evaluation);

}  // namespace sextant::evaluation
