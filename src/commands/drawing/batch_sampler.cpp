#include "drawing/batch_sampler.h"

#include <algorithm>
#include <utility>

#include "common/attributes.h"
#include "drawing/decode.h"
#include "sextant/classifiers/wrappers.h"
#include "sextant/diffusion/denoiser.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"

namespace sextant::commands {
namespace {

/// How many classes labels may name, and whose they are.
std::pair<int64_t, std::string> labelled_classes(const SamplingModels& models) {
  if (!models.guide || models.guide->attributes)
    return {std::max<int64_t>(1, models.model_classes), "the model's classes"};
  if (models.guide->targets > 0) return {models.guide->targets, "the prompts"};
  return {models.guide->classifier.classes, "the classifier's classes"};
}

/// The score by its name; of attributes the sum over them.
guidance::ScoreFunction score_of(const SampleConfig& config, const std::string& name) {
  const guidance::ScoreFunction score = guidance::parse_score(name, config.guidance.terms);
  const auto names = attributes_of(config);
  if (!names) return score;
  return guidance::attribute_score(score, parse_attribute_weights(config.guidance.attribute_weights, *names));
}

}  // namespace

BatchSampler::BatchSampler(const SampleConfig& config, SamplingModels models)
    : config_(config), models_(std::move(models)), labels_(config.sample.labels) {
  const auto [classes, whose] = labelled_classes(models_);
  labels_.check(classes, whose);
  num_classes_ = classes;
  models_.denoiser = diffusion::timed(models_.denoiser, in_denoiser_);
  if (models_.guide) {
    const GuidanceSettings& how = config.guidance;
    trace_steps_ = samplers::num_steps(config.sampler, models_.denoiser);
    const bool steers = !how.none();
    (steers ? guide_ : watch_) = std::make_unique<guidance::Guide>(
        classifiers::timed(models_.guide->classifier, in_classifier_),
        score_of(config, steers ? how.guidance : "plain"), steers ? how.guide : guidance::GuideConfig());
  }
}

guidance::Guidance BatchSampler::watched(const samplers::Step& step, const Tensor& targets,
                                         const SampleIds& ids) const {
  guidance::GuideInput in;
  in.x = step.x_t;
  in.x0 = step.x0;
  in.y = targets;
  in.step = step.step;
  in.num_steps = step.num_steps;
  in.ids = ids;
  return (*watch_)(in);
}

Batch BatchSampler::draw(const std::vector<int64_t>& samples, const std::function<void(double)>& progress,
                         const samplers::StepObserver& observe) {
  const auto n = static_cast<int64_t>(samples.size());
  const uint64_t seed = config_.sample.seed;
  const Tensor labels = labels_.of(samples, seed, num_classes_);
  const bool attributes = models_.guide && models_.guide->attributes;
  const Tensor told = labels.to(models_.device);
  const Tensor targets = attributes ? at::zeros_like(told) : told;  // the classifier itself knows what is asked
  Noise noise(seed, samples, models_.denoiser.sample_shape(), models_.device);
  GuidanceTrace trace(n, trace_steps_, attributes);
  int64_t steps_done = 0;

  in_denoiser_->take();  // of a batch that failed
  in_classifier_->take();
  const double start = steady_seconds();
  const auto observe_all = [&](const samplers::Step& drawn) {
    samplers::Step step = drawn;
    std::optional<guidance::Guidance> seen;
    if (watch_) seen = watched(drawn, targets, noise.ids());
    if (seen) step.guidance = &*seen;
    trace.add(step, targets);
    if (observe) observe(step);
    progress(static_cast<double>(++steps_done) / static_cast<double>(step.num_steps));
  };
  Tensor x = samplers::draw(config_.sampler, models_.denoiser, guide_.get(), told, targets, noise, observe_all);
  if (models_.decoder) x = decoded(models_.decoder->decode, models_.decoder->image_shape, x, samples);
  const Tensor kept = models_.points ? x.flatten(1).to(at::kFloat)
                                     : diffusion::to_uint8(x, config_.sample.rounding).permute({0, 2, 3, 1});
  Batch batch{kept.contiguous().cpu(), {}, trace.points()};

  const double seconds = (steady_seconds() - start) / static_cast<double>(n);
  const double denoiser = in_denoiser_->take() / static_cast<double>(n);
  const double classifier = in_classifier_->take() / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    batch.records.push_back({labels.data_ptr<int64_t>()[i], trace.mean_norm(i), seconds, denoiser, classifier});
  }
  return batch;
}

}  // namespace sextant::commands
