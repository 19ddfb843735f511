#include "sample/drawing.h"

#include "sextant/classifiers/wrappers.h"
#include "sextant/diffusion/guided_models.h"
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
  cast_.denoiser = diffusion::timed(cast_.denoiser, [seconds = seconds_](double more) { seconds->denoiser += more; });
  if (cast_.classifier) {
    const auto took = [seconds = seconds_](double more) { seconds->classifier += more; };
    const GuidanceSettings& how = config.guidance;
    guide_ = std::make_unique<guidance::Guide>(classifiers::timed(cast_.classifier, took),
                                               guidance::named_score(how.score, how.terms), how.guide);
  }
}

Batch Drawing::draw(const std::vector<int64_t>& samples, const std::function<void(double)>& progress) {
  const auto n = static_cast<int64_t>(samples.size());
  const uint64_t seed = config_.sample.seed;
  const Tensor labels = labels_.of(samples, seed, num_classes_);
  const Tensor targets = labels.to(cast_.device);
  Noise noise(seed, samples, cast_.denoiser.sample_shape(), cast_.device);
  GradientNorms norms;
  int64_t steps_done = 0;

  *seconds_ = {};
  const double start = steady_seconds();
  const auto observe = [&](const samplers::Step& step) {
    norms.add(trace_.add(step, targets));
    progress(static_cast<double>(++steps_done) / static_cast<double>(step.num_steps));
  };
  Tensor x = samplers::draw(config_.sampler, cast_.denoiser, guide_.get(), targets, targets, noise, observe);
  if (cast_.decoder) x = cast_.decoder->decode(x);
  Batch batch{diffusion::to_uint8(x, config_.sample.rounding).permute({0, 2, 3, 1}).contiguous().cpu(), {}};

  const double seconds = (steady_seconds() - start) / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    batch.records.push_back({labels[i].item<int64_t>(), norms.mean(i), seconds,
                             seconds_->denoiser / static_cast<double>(n),
                             seconds_->classifier / static_cast<double>(n)});
  }
  return batch;
}

}  // namespace sextant::commands
