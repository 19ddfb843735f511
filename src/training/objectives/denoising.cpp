#include <ATen/core/grad_mode.h>

#include "objectives/judge.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"
#include "sextant/training/objectives.h"
#include "streams.h"

namespace sextant::training {
namespace {

constexpr int64_t kDenoisedAtOnce = 128;  // images at a time in validation

diffusion::Model function_of(const networks::NoiseNetwork& network) {
  return [&network](const Tensor& x, const Tensor& t, const Tensor& y) {
    return network.forward(x, t, network.num_classes() > 0 ? y.to(x.device()) : Tensor());
  };
}

/// 1/SNR(t) = (1 - abar)/abar within [1, most].
std::vector<double> inverse_snr(const diffusion::Process& process, double most) {
  std::vector<double> weights;
  for (int64_t t = 0; t < process.num_steps(); ++t) {
    weights.push_back(std::clamp((1 - process.abar(t)) / process.abar(t), 1.0, most));
  }
  return weights;
}

class Denoising : public Objective {
 public:
  Denoising(std::shared_ptr<networks::NoiseNetwork> network, DenoisingConfig config,
            std::function<std::shared_ptr<networks::Network>()> build, std::shared_ptr<const TrainingImages> held_out)
      : network_(std::move(network)),
        config_(std::move(config)),
        held_out_(std::move(held_out)),
        process_(config_.process),
        inverse_snr_(inverse_snr(process_, config_.mse_weight)),
        timesteps_(config_.timesteps, process_.num_steps(), config_.seed),
        judge_(std::move(build)) {
    DenoisingConfig::kMseWeight.check("denoising", "mse-weight", config_.mse_weight);
    DenoisingConfig::kLabelDropout.check("denoising", "label-dropout", config_.label_dropout);
    if (config_.label_dropout > 0 && config_.null_label < 0) {
      throw UsageError("label-dropout needs a network with a null label: \"null_label\" in its config.json");
    }
  }

  Numbers backward(const Batch& batch, double scale) override {
    const Tensor x0 = data::to_pixels(batch.images, network_->device());
    const TimestepSampler::Drawn drawn = timesteps_.draw(batch.number, batch.whole);
    network_->begin_batch(stream(config_.seed, Purpose::kDropout), batch.number);
    const diffusion::LossTerms terms =
        losses(function_of(*network_), x0, drawn.t, dropped(batch), noise(batch.number, x0, Purpose::kNoise));
    const Tensor loss = (terms.loss * drawn.weights.to(x0.device())).mean();
    (loss * scale).backward();
    timesteps_.note(batch.number, drawn.t, terms.loss);
    return numbers(loss, terms);
  }

  void end_batch(const Gather& gather) override { timesteps_.end_batch(gather); }

  Numbers validate(const checkpoint::StateDict& weights) override {
    const at::NoGradGuard no_grad;
    const auto judge = std::dynamic_pointer_cast<networks::NoiseNetwork>(judge_.with(weights, network_->device()));
    const int64_t N = held_out_->size();
    double loss = 0, mse = 0, vb = 0;
    for (int64_t first = 0; first < N; first += kDenoisedAtOnce) {
      const Batch batch = held_out_->batch(first, std::min(kDenoisedAtOnce, N - first));
      const Tensor x0 = data::to_pixels(batch.images, network_->device());
      const Tensor t = spread_timesteps(first, x0.size(0), process_.num_steps());
      const diffusion::LossTerms terms =
          losses(function_of(*judge), x0, t, batch.labels, noise(batch.number, x0, Purpose::kValidation));
      const auto sum = [](const Tensor& x) { return x.defined() ? x.sum().item<double>() : 0.0; };
      loss += sum(terms.loss);
      mse += sum(terms.mse);
      vb += sum(terms.vb);
    }
    const auto n = static_cast<double>(N);
    return {{"loss", loss / n}, {"mse", mse / n}, {"vb", vb / n}};
  }

  double criterion(const Numbers& numbers) const override { return numbers.front().second; }

  std::vector<std::pair<std::string, Tensor>> state() override {
    return {{"timesteps.history", timesteps_.history}, {"timesteps.counts", timesteps_.counts}};
  }

 private:
  Tensor noise(const std::vector<int64_t>& number, const Tensor& like, Purpose purpose) const {
    return Noise(stream(config_.seed, purpose), number, like.sizes().slice(1).vec(), like.device()).normal(0);
  }

  /// Labels, some replaced by the null label so that one network learns both (Ho & Salimans 2022).
  Tensor dropped(const Batch& batch) const {
    if (!batch.labels.defined() || config_.label_dropout == 0) return batch.labels;
    const Noise draws(stream(config_.seed, Purpose::kLabelDropout), batch.number, {1});
    return batch.labels.masked_fill(draws.uniform(0).flatten() < config_.label_dropout, config_.null_label);
  }

  /// The terms with the squared error weighted.
  diffusion::LossTerms losses(const diffusion::Model& model, const Tensor& x0, const Tensor& t, const Tensor& y,
                              const Tensor& noise) const {
    diffusion::LossTerms terms = diffusion::training_loss(process_, model, x0, t, y, noise, config_.loss);
    if (config_.mse_weight > 1 && terms.mse.defined()) {
      const Tensor weight = diffusion::Steps(t).of(inverse_snr_, x0).flatten();
      terms.loss = terms.loss + (weight - 1) * terms.mse;
    }
    return terms;
  }

  static Numbers numbers(const Tensor& loss, const diffusion::LossTerms& terms) {
    Numbers numbers = {{"loss", loss.item<double>()}};
    if (terms.mse.defined()) numbers.emplace_back("mse", terms.mse.mean().item<double>());
    if (terms.vb.defined()) numbers.emplace_back("vb", terms.vb.mean().item<double>());
    return numbers;
  }

  std::shared_ptr<networks::NoiseNetwork> network_;
  DenoisingConfig config_;
  std::shared_ptr<const TrainingImages> held_out_;
  diffusion::Process process_;
  std::vector<double> inverse_snr_;
  TimestepSampler timesteps_;
  Judge judge_;
};

}  // namespace

std::unique_ptr<Objective> denoising(std::shared_ptr<networks::NoiseNetwork> network, DenoisingConfig config,
                                     std::function<std::shared_ptr<networks::Network>()> build,
                                     std::shared_ptr<const TrainingImages> held_out) {
  return std::make_unique<Denoising>(std::move(network), std::move(config), std::move(build), std::move(held_out));
}

}  // namespace sextant::training
