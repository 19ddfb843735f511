#include "sample/drawing.h"

#include "sample/samplers.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"

namespace sextant::commands {
namespace {

/// Sums |g| of every sample over the guided steps.
class GradientNorms {
 public:
  /// |g| [N] of a step; undefined where it was not guided.
  void add(const Tensor& norms) {
    if (!norms.defined()) return;
    sum_ = sum_.defined() ? sum_ + norms : norms;
    ++steps_;
  }
  double mean(int64_t n) const { return steps_ > 0 ? sum_[n].item<double>() / static_cast<double>(steps_) : 0; }

 private:
  Tensor sum_;
  int64_t steps_ = 0;
};

}  // namespace

Drawing::Drawing(const SampleConfig& config, Cast cast)
    : config_(config), cast_(std::move(cast)), labels_(config.sample.labels) {
  const int64_t model_classes = cast_.model_classes;
  const int64_t guide_classes = cast_.classifier ? cast_.classifier.classes : 0;
  num_classes_ = cast_.guide_targets > 0 ? cast_.guide_targets
                 : guide_classes > 0     ? guide_classes
                                         : std::max<int64_t>(1, model_classes);
  labels_.check(num_classes_, cast_.guide_targets > 0 ? "the prompts"
                              : guide_classes > 0     ? "the classifier's classes"
                                                      : "the model's classes");
  if (cast_.denoiser) cast_.denoiser = metered(cast_.denoiser, meter_);
  if (cast_.sigma_denoiser) cast_.sigma_denoiser = metered(cast_.sigma_denoiser, meter_);
  if (cast_.classifier) {
    const auto took = [meter = meter_](double seconds) { meter->classifier_seconds += seconds; };
    const GuidanceSettings& how = config.guidance;
    guide_ = std::make_unique<guidance::Guide>(classifiers::timed(cast_.classifier, took),
                                               guidance::named_score(how.score, how.terms), how.guide);
  }
}

Tensor Drawing::denoiser_labels(const Tensor& targets) const {
  if (cast_.model_classes == 0) return targets;  // not looked at
  if (config_.model.unconditional && cast_.null_label >= 0) return at::full_like(targets, cast_.null_label);
  if (config_.model.denoiser_label >= 0) return at::full_like(targets, config_.model.denoiser_label);
  return targets;
}

Batch Drawing::draw(const std::vector<int64_t>& samples, const std::function<void(double)>& progress) {
  const auto n = static_cast<int64_t>(samples.size());
  const uint64_t seed = config_.sample.seed;
  const Tensor targets = labels_.of(samples, seed, num_classes_);
  const BatchTask task{guide_.get(), denoiser_labels(targets.to(cast_.device)), targets.to(cast_.device)};
  Noise noise(seed, samples, cast_.sample_shape(), cast_.device);
  GradientNorms norms;
  int64_t steps_done = 0;

  *meter_ = {};
  const double start = steady_seconds();
  Tensor x = run_sampler(config_, cast_, task, noise, [&](const samplers::Step& step) {
    norms.add(trace_.add(step, task.targets));
    progress(static_cast<double>(++steps_done) / static_cast<double>(step.num_steps));
  });
  if (cast_.decode) x = cast_.decode(x);
  Batch batch{diffusion::to_uint8(x, config_.sample.rounding).permute({0, 2, 3, 1}).contiguous().cpu(), {}};

  const double seconds = (steady_seconds() - start) / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    batch.records.push_back({targets[i].item<int64_t>(), norms.mean(i), seconds,
                             meter_->denoiser_seconds / static_cast<double>(n),
                             meter_->classifier_seconds / static_cast<double>(n)});
  }
  return batch;
}

}  // namespace sextant::commands
