#include "sextant/evaluation/evaluate.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "cautions.h"
#include "inception.h"
#include "internal/calibration/caution.h"
#include "internal/evaluation/metric_rows.h"
#include "internal/evaluation/shared.h"
#include "internal/runtime/text.h"
#include "options.h"
#include "sextant/calibration/calibration.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::evaluation {
namespace {

constexpr int64_t kCoverageNeighbours = 5;  ///< Naeem et al.'s choice
constexpr int64_t kEceBins = 15;
constexpr int64_t kWide = 512;  ///< dimensions above which a Frechet distance takes too long to repeat unasked

/// One evaluation under way: which numbers are wanted, which the data allow, what came out.
class Scoring {
 public:
  Scoring(const Embedding& samples, const Embedding& reference, const FeatureExtractor& extractor,
          const EvaluateOptions& options, metrics::Together together)
      : samples_(samples),
        reference_(reference),
        options_(options),
        together_(std::move(together)),
        inception_(extractor.is_inception()),
        asked_(!options.metrics.empty()) {
    check(options);
    wanted_.insert(options.metrics.begin(), options.metrics.end());
    result_.protocol = options.protocol;
    result_.extractor = extractor.name;
    result_.extractor_hash = extractor.hash;
    result_.dimensions = samples.features.defined()    ? samples.features.size(1)
                         : samples.pool.mean.defined() ? samples.pool.mean.numel()
                                                       : 0;
    result_.sample_source = samples.source;
    result_.reference_source = reference.source;
    result_.sample_count = samples.count;
    result_.reference_count = reference.count;
    result_.skipped = samples.skipped;
    result_.level = options.level;
    if (reference.pool.mean.defined() && result_.dimensions > 0 && reference.pool.mean.numel() != result_.dimensions) {
      throw UsageError(c10::str(reference.source, " has ", reference.pool.mean.numel(), " features per image, ",
                                samples.source, " has ", result_.dimensions, "; the reference is of another network"));
    }
  }

  struct Step {
    std::function<void()> take;
    bool shared = false;  ///< all processes take it together; else the first one
  };

  /// The steps in the order of the report, each adding its measures.
  std::vector<Step> steps() {
    return {{[this] { frechet(); }},         {[this] { spatial(); }},        {[this] { inception_score(); }},
            {[this] { manifolds(); }, true}, {[this] { coverage(); }, true}, {[this] { kernel(); }},
            {[this] { infinity(); }},        {[this] { accuracy(); }},       {[this] { remarks(); }}};
  }

  Evaluation result() && { return std::move(result_); }

 private:
  /// Whether to compute `metric`. `allowed` says whether the data allow it and `missing` what they lack.
  bool wants(Metric metric, bool allowed, const std::string& missing) {
    considered_.insert(metric);
    if (asked_ && wanted_.count(metric) == 0) return false;
    if (allowed) return true;
    if (asked_) throw UsageError(row_of(metric).word + " cannot be computed: " + missing);
    left_out_[missing].push_back(row_of(metric).word);
    return false;
  }

  void add(Metric metric, double value, std::optional<double> deviation = {},
           std::optional<metrics::Interval> interval = {}) {
    result_.measures.push_back({row_of(metric).word, row_of(metric).label, value, deviation, interval});
  }

  std::optional<metrics::Interval> interval_of_mean(const Tensor& values) const {
    if (options_.bootstrap == 0) return std::nullopt;
    if (values.numel() < 2) return std::nullopt;
    return metrics::bootstrap_mean(values, options_.bootstrap, options_.level);
  }

  void frechet() {
    if (!wants(Metric::kFid, samples_.pool.mean.defined() && reference_.pool.mean.defined(), "FID needs a reference"))
      return;
    caution(caution_of_distance("these distances", samples_.count, reference_.count, result_.dimensions));
    const double value = metrics::frechet_distance(samples_.pool, reference_.pool).value;
    int64_t resamples = options_.bootstrap_fid;
    if (resamples < 0) resamples = result_.dimensions <= kWide ? 100 : 0;
    std::optional<metrics::Interval> interval;
    if (resamples > 0 && samples_.features.defined()) {
      interval = metrics::bootstrap(
          samples_.count,
          [&](const Tensor& indices) {
            return metrics::frechet_distance(metrics::gaussian_of(samples_.features.index_select(0, indices)),
                                             reference_.pool)
                .value;
          },
          resamples, options_.level);
      const Tensor quantile = at::erfinv(at::full({}, options_.level, at::kDouble)) * std::sqrt(2.0);
      const double reach = quantile.item<double>() * interval->standard_deviation;
      interval->low = std::max(0.0, value - reach);
      interval->high = value + reach;
    }
    add(Metric::kFid, value, {}, interval);
  }

  void spatial() {
    if (!wants(Metric::kSfid, samples_.spatial && reference_.spatial,
               "sFID needs spatial features of both sets (Inception, and mu_s and sigma_s in a statistics file)")) {
      return;
    }
    caution(caution_of_distance("sFID", samples_.count, reference_.count, samples_.spatial->mean.numel()));
    add(Metric::kSfid, metrics::frechet_distance(*samples_.spatial, *reference_.spatial).value);
  }

  void inception_score() {
    if (!wants(Metric::kInceptionScore, samples_.logits.defined(), "the inception score needs logits of the samples"))
      return;
    const InceptionScores scores = inception_scores(samples_.logits, samples_.labels, options_.protocol);
    const auto deviation = [&](const metrics::MeanStd& score) {
      return scores.parts.size() > 1 ? std::optional(score.standard_deviation) : std::nullopt;
    };
    add(Metric::kInceptionScore, scores.score.mean, deviation(scores.score));
    caution(caution_of_inception(scores.parts, samples_.logits.size(1)));
    if (!scores.shuffled) return;
    result_.measures.push_back(
        {"is-shuffled", "Inception Score, shuffled", scores.shuffled->mean, deviation(*scores.shuffled), std::nullopt});
    caution(c10::str("Inception Score: this protocol takes parts of ", scores.parts.front(),
                     scores.sorted ? " images in their order, and they are sorted by class"
                                   : " images in their order, which matters here",
                     ": the score of the shuffled images is the one that compares"));
  }

  /// Whether both sets have features of more than `neighbours` images.
  bool comparable(int64_t neighbours) const {
    return samples_.features.defined() && reference_.features.defined() && samples_.features.size(0) > neighbours &&
           reference_.features.size(0) > neighbours;
  }
  std::string no_features(int64_t neighbours) const {
    if (samples_.features.defined() && reference_.features.defined()) {
      return c10::str("needs more than ", neighbours, " images in each set");
    }
    if (reference_.source.empty()) return "needs a reference";
    return "the reference holds statistics alone; give its images";
  }

  void manifolds() {
    const bool allowed = comparable(options_.neighbours);
    const bool precision = wants(Metric::kPrecision, allowed, no_features(options_.neighbours));
    const bool recall = wants(Metric::kRecall, allowed, no_features(options_.neighbours));
    if (!precision && !recall) return;
    const metrics::PrecisionRecall pr =
        metrics::precision_recall(reference_.features, samples_.features, options_.neighbours, together_);
    caution(caution_of_neighbours("precision and recall", samples_.count, reference_.features.size(0),
                                  options_.neighbours));
    if (precision) add(Metric::kPrecision, pr.precision, {}, interval_of_mean(pr.sample_in_reference));
    if (recall) add(Metric::kRecall, pr.recall, {}, interval_of_mean(pr.reference_in_sample));
  }

  void coverage() {
    const bool allowed = comparable(kCoverageNeighbours);
    const bool density = wants(Metric::kDensity, allowed, no_features(kCoverageNeighbours));
    const bool coverage = wants(Metric::kCoverage, allowed, no_features(kCoverageNeighbours));
    if (!density && !coverage) return;
    const metrics::DensityCoverage dc =
        metrics::density_coverage(reference_.features, samples_.features, kCoverageNeighbours, together_);
    caution(caution_of_neighbours("density and coverage", samples_.count, reference_.features.size(0),
                                  kCoverageNeighbours));
    if (density) add(Metric::kDensity, dc.density);
    if (coverage) add(Metric::kCoverage, dc.coverage);
  }

  void kernel() {
    if (!wants(Metric::kKid, comparable(1), no_features(1))) return;
    const int64_t size = std::min({options_.kid_subset_size, samples_.features.size(0), reference_.features.size(0)});
    if (size < options_.kid_subset_size) {
      result_.notes.push_back(c10::str("KID: subsets of ", size, " images instead of ", options_.kid_subset_size,
                                       ", all that the smaller set has"));
    }
    const bool whole = size == samples_.features.size(0) && size == reference_.features.size(0);
    const int64_t subsets = whole ? 1 : options_.kid_subsets;
    const metrics::KernelDistance kid = metrics::kernel_distance(samples_.features, reference_.features, subsets, size);
    add(Metric::kKid, kid.mean, subsets > 1 ? std::optional(kid.standard_deviation) : std::nullopt);
    if (whole) caution("KID: every subset is the whole of both sets, so there is no deviation");
  }

  void infinity() {
    if (wanted_.count(Metric::kFidInfinity) == 0) return;  // fifteen more distances: only when asked for
    const int64_t smallest = std::min<int64_t>(5000, samples_.count / 2);
    if (!wants(Metric::kFidInfinity, samples_.features.defined() && reference_.pool.mean.defined() && smallest >= 2,
               "it needs a reference and features of 4 samples or more"))
      return;
    caution(caution_of_distance("FID infinity", smallest, reference_.count, result_.dimensions));
    add(Metric::kFidInfinity, metrics::frechet_infinity(samples_.features, reference_.pool, smallest).value);
  }

  /// Inception's 1008 classes are nobody's labels; the small networks know the classes of their data set.
  bool features_know_the_labels() const {
    return !inception_ && samples_.labels.min().item<int64_t>() >= 0 &&
           samples_.labels.max().item<int64_t>() < samples_.logits.size(1);
  }

  void accuracy() {
    const Tensor& logits = samples_.judge_logits.defined() ? samples_.judge_logits : samples_.logits;
    const bool allowed = samples_.labels.defined() && logits.defined() &&
                         (samples_.judge_logits.defined() || features_know_the_labels());
    if (!asked_ && !allowed) return;
    const bool sure = !options_.labels_unsure || asked_;
    const char* const missing =
        sure ? "needs labelled samples and a classifier of their classes"
             : "nothing says that the sorted names of the samples' folders are the classifier's classes; ask for it by "
               "name in metrics if they are";
    const bool accuracy = wants(Metric::kAccuracy, allowed && sure, missing);
    const bool ece = wants(Metric::kEce, allowed && sure, missing);
    if (!accuracy && !ece) return;
    result_.classifier = options_.judge_name;
    if (accuracy) {
      result_.classes = metrics::class_accuracy(logits, samples_.labels);
      add(Metric::kAccuracy, result_.classes->overall, {}, interval_of_mean(logits.argmax(1) == samples_.labels));
    }
    if (ece) caution(calibration::caution_of_bins(samples_.count, kEceBins));
    if (ece) add(Metric::kEce, calibration::expected_calibration_error(logits, samples_.labels, kEceBins));
  }

  void caution(const std::string& line) {
    if (!line.empty()) result_.notes.push_back(line);
  }

  void remarks() {
    for (const Metric metric : wanted_) {
      if (considered_.count(metric) == 0) throw Error(row_of(metric).word + " has a row of metric_rows() and no step");
    }
    const auto skipped = [&](const auto& places, const char* what) {
      if (!places.empty()) caution(c10::str(places.size(), what, " were left out, the first ", places[0]));
    };
    skipped(samples_.skipped, " unreadable samples");
    skipped(reference_.skipped, " unreadable reference images");
    for (const auto& [missing, words] : left_out_) {
      caution(c10::str("left out: ", joined(words, ", "), " (", missing, ")"));
    }
  }

  const Embedding& samples_;
  const Embedding& reference_;
  const EvaluateOptions& options_;
  metrics::Together together_;
  bool inception_;  ///< the feature network is Inception
  bool asked_;
  std::set<Metric> wanted_;
  std::set<Metric> considered_;
  std::map<std::string, std::vector<std::string>> left_out_;  ///< words by what they lack
  Evaluation result_;
};

}  // namespace

std::optional<Evaluation> evaluate(const Embedding& samples, const Embedding& reference,
                                   const FeatureExtractor& extractor, const EvaluateOptions& options,
                                   Progress& progress, const Stop& stop) {
  distributed::Group alone;
  return evaluate(samples, reference, extractor, options, alone, progress, stop);
}

std::optional<Evaluation> evaluate(const Embedding& samples, const Embedding& reference,
                                   const FeatureExtractor& extractor, const EvaluateOptions& options,
                                   distributed::Group& group, Progress& progress, const Stop& stop) {
  const at::NoGradGuard no_grad;
  Scoring scoring(samples, reference, extractor, options,
                  {group.rank(), group.size(), [&group](const Tensor& part) { group.sum(part); }});
  const auto steps = scoring.steps();
  progress.begin("scoring", static_cast<double>(steps.size()), 0, "steps");
  bool stopped = false;
  for (size_t i = 0; i < steps.size() && !stopped; ++i) {
    group.at(c10::str("scoring, step ", i + 1, " of ", steps.size()));
    stopped = group.any(stop.requested());
    if (stopped) break;
    if (group.leads() || steps[i].shared) steps[i].take();
    progress.update(static_cast<double>(i + 1));
  }
  progress.end();
  if (stopped || group.any(stop.requested())) return std::nullopt;
  return std::move(scoring).result();
}

}  // namespace sextant::evaluation
