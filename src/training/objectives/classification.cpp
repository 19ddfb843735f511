#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "objectives/criterion.h"
#include "objectives/judge.h"
#include "sextant/calibration/calibration.h"
#include "sextant/models/classifier.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"
#include "sextant/training/objectives.h"
#include "streams.h"

namespace sextant::training {
namespace {

constexpr int64_t kClassifiedAtOnce = 256;  // images at a time in validation

}  // namespace

LogitsFunction logits_function(std::shared_ptr<const networks::Network> network, const nlohmann::json& config) {
  if (const auto features = std::dynamic_pointer_cast<const networks::FeatureNetwork>(network)) {
    return [features, config](const Tensor& x, const Tensor&) {
      const Tensor f = features->forward((x + 1) * 127.5).at("logits");
      return classifiers::rescaling_of(config, f.size(1))(f);
    };
  }
  const auto classifier = std::dynamic_pointer_cast<const networks::ClassifierNetwork>(network);
  if (!classifier)
    throw UsageError("a network of type '" + config.at("type").get<std::string>() + "' is no classifier");
  const auto convention = models::input_convention(models::ClassifierInput::kConfig, config);
  const auto behind = classifiers::calibrated(models::as_classifier(classifier, convention),
                                              classifiers::rescaling_of(config, classifier->num_classes()));
  return [behind](const Tensor& x, const Tensor& t) { return behind.logits(x, t); };
}

Classification::Classification(std::shared_ptr<networks::Network> network, nlohmann::json model,
                               ClassificationConfig config, std::shared_ptr<const TrainingImages> held_out)
    : network_(std::move(network)),
      model_(std::move(model)),
      config_(std::move(config)),
      held_out_(std::move(held_out)),
      process_(config_.process),
      timesteps_(config_.timesteps, process_.num_steps(), config_.seed),
      logits_(logits_function(network_, model_)),
      judge_(std::make_shared<Judge>([model = model_] { return models::build(model); })) {
  if (config_.timesteps == Timesteps::kLossSecondMoment) {
    throw UsageError(
        "classification: timesteps loss-second-moment weighs the loss of each image, as a diffusion model's "
        "can be; choose uniform or stratified for a classifier");
  }
  ClassificationConfig::kLambda.check("classification", "lambda", config_.lambda);
  calibration::kSmoothEceBeta.check("classification", "beta", config_.beta);
  ClassificationConfig::kLambda.check("classification", "entropy-weight", config_.entropy_weight);
}

Tensor Classification::noised(const Tensor& x0, const Tensor& t, const std::vector<int64_t>& number,
                              uint64_t seed) const {
  if (!config_.noisy) return x0;
  return process_.q_sample(x0, t, Noise(seed, number, x0.sizes().slice(1).vec(), x0.device()).normal(0));
}

Numbers Classification::backward(const Batch& batch, double scale) {
  const Tensor x0 = data::to_pixels(batch.images, network_->device());
  const Tensor t = timesteps_.draw(batch.number, batch.whole).t;
  network_->begin_batch(stream(config_.seed, Purpose::kDropout), batch.number);
  const Tensor x = noised(x0, t, batch.number, stream(config_.seed, Purpose::kNoise));
  const Tensor y = batch.labels.to(x.device());
  const Tensor f = logits_(x, config_.noisy ? process_.model_time(t, x) : Tensor());
  const Tensor fixed = f.detach();
  // The loss has a closed gradient in the logits; autograd takes it from there.
  const calibration::Loss loss = calibration::cross_entropy_with_smooth_ece(fixed, y, config_.lambda, config_.beta);
  const calibration::Loss constraint = calibration::entropy_constraint(fixed);
  f.backward((loss.gradient + config_.entropy_weight * constraint.gradient) * scale);
  return {{"loss", loss.value.item<double>() + config_.entropy_weight * constraint.value.item<double>()},
          {"cross_entropy", calibration::negative_log_likelihood(fixed, y)},
          {"smooth_ece", calibration::smooth_ece(fixed, y, config_.beta).value.item<double>()},
          {"entropy_constraint", constraint.value.item<double>()},
          {"accuracy", calibration::accuracy(fixed, y)}};
}

calibration::Measures Classification::measure(const checkpoint::StateDict& weights, const TrainingImages& images) {
  const at::NoGradGuard no_grad;
  const LogitsFunction judge = logits_function(judge_->with(weights, network_->device()), model_);
  std::vector<Tensor> logits, labels;
  const int64_t N = images.size();
  for (int64_t first = 0; first < N; first += kClassifiedAtOnce) {
    const Batch batch = images.batch(first, std::min(kClassifiedAtOnce, N - first));
    const Tensor x0 = data::to_pixels(batch.images, network_->device());
    const Tensor t = spread_timesteps(first, x0.size(0), process_.num_steps());
    const Tensor x = noised(x0, t, batch.number, stream(config_.seed, Purpose::kValidation));
    logits.push_back(judge(x, config_.noisy ? process_.model_time(t, x) : Tensor()).to(at::kCPU));
    labels.push_back(batch.labels);
  }
  judge_classes_ = logits.front().size(1);
  return calibration::measure(at::cat(logits), at::cat(labels), {.beta = config_.beta});
}

Numbers Classification::validate(const checkpoint::StateDict& weights) {
  const calibration::Measures m = measure(weights, *held_out_);
  const double constraint = std::log(static_cast<double>(judge_classes_)) - m.entropy;
  return {{"loss", m.nll + config_.lambda * m.smooth_ece + config_.entropy_weight * constraint},
          {"accuracy", m.accuracy},
          {"error", 1 - m.accuracy},
          {"ece", m.ece},
          {"nll", m.nll}};
}

double Classification::criterion(const Numbers& numbers) const { return number_of(config_.criterion, numbers); }

}  // namespace sextant::training
