#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "objectives/criterion.h"
#include "objectives/judge.h"
#include "sextant/calibration/calibration.h"
#include "sextant/models/classifier.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "sextant/training/objectives.h"

namespace sextant::training {
namespace {

constexpr int64_t kAnsweredAtOnce = 256;  // images at a time in validation

/// -log sigmoid(a f), [N, K]; 0 where the answer is unknown.
Tensor losses(const Tensor& f, const Tensor& answers) { return -at::log_sigmoid(answers * f) * answers.abs(); }

/// Which of the known answers are right, [N, K] of 0 and 1.
Tensor right(const Tensor& f, const Tensor& answers) { return (answers * f > 0).to(f.scalar_type()); }

class AttributeClassification : public Objective {
 public:
  AttributeClassification(std::shared_ptr<networks::Network> network, nlohmann::json model, ClassificationConfig config,
                          std::shared_ptr<const TrainingImages> held_out)
      : network_(std::move(network)),
        model_(std::move(model)),
        config_(std::move(config)),
        held_out_(std::move(held_out)),
        logits_(logits_function(network_, model_)),
        judge_([model = model_] { return models::build(model); }) {
    if (config_.noisy) throw UsageError("a classifier of attributes that knows the time cannot be trained");
    if (config_.lambda > 0 || config_.entropy_weight > 0) {
      throw UsageError("lambda and entropy-weight are of classes; a classifier of attributes has neither");
    }
  }

  Numbers backward(const Batch& batch, double scale) override {
    const Tensor f = logits_(data::to_pixels(batch.images, network_->device()), Tensor());
    const Tensor fixed = f.detach(), answers = batch.answers.to(fixed.device(), fixed.scalar_type());
    const auto count = static_cast<double>(fixed.numel());
    // d(-log sigmoid(a f))/df = -a sigmoid(-a f)
    f.backward(-answers * at::sigmoid(-answers * fixed) * (scale / count));
    return {{"loss", losses(fixed, answers).sum().item<double>() / count},
            {"accuracy", right(fixed, answers).sum().item<double>() / known(answers)}};
  }

  Numbers validate(const checkpoint::StateDict& weights) override {
    const at::NoGradGuard no_grad;
    const LogitsFunction judge = logits_function(judge_.with(weights, network_->device()), model_);
    std::vector<Tensor> logits, all;
    for (int64_t first = 0; first < held_out_->size(); first += kAnsweredAtOnce) {
      const Batch batch = held_out_->batch(first, std::min(kAnsweredAtOnce, held_out_->size() - first));
      logits.push_back(judge(data::to_pixels(batch.images, network_->device()), Tensor()).to(at::kCPU, at::kDouble));
      all.push_back(batch.answers.to(at::kDouble));
    }
    const Tensor f = at::cat(logits), answers = at::cat(all);
    const Tensor is_known = answers != 0;
    const Tensor correct = right(f, answers).masked_select(is_known);
    const Tensor confidence = at::sigmoid(f.abs()).masked_select(is_known);
    const double loss = losses(f, answers).sum().item<double>() / static_cast<double>(f.numel());
    const double accuracy = correct.sum().item<double>() / known(answers);
    return {{"loss", loss},
            {"accuracy", accuracy},
            {"error", 1 - accuracy},
            {"ece", calibration::equal_width_bins(confidence, correct).ece},
            {"nll", loss}};
  }

  double criterion(const Numbers& numbers) const override { return number_of(config_.criterion, numbers); }

 private:
  static double known(const Tensor& answers) { return std::max(1.0, answers.abs().sum().item<double>()); }

  std::shared_ptr<networks::Network> network_;
  nlohmann::json model_;
  ClassificationConfig config_;
  std::shared_ptr<const TrainingImages> held_out_;
  LogitsFunction logits_;
  Judge judge_;
};

}  // namespace

std::unique_ptr<Objective> attribute_classification(std::shared_ptr<networks::Network> network, nlohmann::json model,
                                                    ClassificationConfig config,
                                                    std::shared_ptr<const TrainingImages> held_out) {
  return std::make_unique<AttributeClassification>(std::move(network), std::move(model), std::move(config),
                                                   std::move(held_out));
}

}  // namespace sextant::training
