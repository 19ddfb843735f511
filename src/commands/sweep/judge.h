// How the cells of a sweep are scored and compared.
#pragma once

#include <optional>

#include "internal/commands/sweep.h"
#include "internal/ledger/ledger.h"
#include "sextant/metrics/metrics.h"
#include "sweep/sample_scorer.h"

namespace sextant::commands {

/// What of a scored set of images a comparison needs.
struct Scored {
  std::vector<ledger::Score> scores;
  Tensor features;  ///< [N, D], or undefined where D is too large to compare resampled sets
  Tensor correct;   ///< [N] float64, 1 where the image is read as its label; undefined without labels or a judge
  std::optional<metrics::Gaussian> reference;
};

class Judge {
 public:
  /// By [evaluate], by --judge and --reference of [sweep], or by nobody. UsageError and Error for what does not fit.
  Judge(const nlohmann::json& recipe, const SweepConfig& config);

  explicit operator bool() const { return evaluate_.has_value() || scorer_.has_value(); }
  /// Tells ways of judging apart: settings and networks. "" for nobody.
  std::string key(ledger::Ledger& ledger) const;
  /// The first `images` of samples.npz; with `labels_alone` only which are read as their labels.
  Scored score(const std::filesystem::path& samples, int64_t images, Progress& progress, const Stop& stop,
               bool labels_alone = false) const;
  /// Whether two sets of images can be compared image by image.
  bool compares() const { return evaluate_.has_value(); }
  double level() const { return evaluate_ ? evaluate_->options.level : 0.95; }
  /// Heading of a metric's column.
  std::string label(const std::string& metric) const;

 private:
  std::optional<EvaluateConfig> evaluate_;
  std::optional<SampleScorer> scorer_;
  std::string judge_, reference_;
};

/// Rows less baseline, the mean over seeds: rows[s] and baseline[s] are of one seed, so of the same noise. The interval
/// of `fid` is by resampling images, the same of both, that of `accuracy` by the spread of the images' own differences;
/// that of the others by Student's t over the seeds, and there is none with one seed.
std::vector<ledger::Score> differences(const std::vector<Scored>& rows, const std::vector<Scored>& baseline,
                                       double level);

}  // namespace sextant::commands
