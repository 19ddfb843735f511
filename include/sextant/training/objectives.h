// What diffusion models and classifiers are trained on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sextant/calibration/calibration.h"
#include "sextant/diffusion/denoiser.h"
#include "sextant/diffusion/process.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"
#include "sextant/training/images.h"

namespace sextant::training {

/// Which timesteps a noisy training draws.
enum class Timesteps { kUniform, kStratified, kLossSecondMoment };

/// Rows [n, D] of each of the processes that share a batch, one after the other; called by all of them.
using Gather = std::function<Tensor(const Tensor& rows)>;

/// Draws timesteps and the weights that keep the loss unbiased.
class TimestepSampler {
 public:
  TimestepSampler(Timesteps kind, int64_t steps, uint64_t seed);

  struct Drawn {
    Tensor t;        ///< [B] int64
    Tensor weights;  ///< [B] float32, ones unless importance-sampled
  };
  /// For images with these numbers; kStratified spreads t evenly over the `whole` batch that they are part of, of which
  /// the first number is a multiple of `whole`. 0: over these images.
  Drawn draw(const std::vector<int64_t>& number, int64_t whole = 0) const;
  /// Losses [B] at t [B] of the images with these numbers, a part of a batch.
  void note(const std::vector<int64_t>& number, const Tensor& t, const Tensor& losses);
  /// Takes in what was noted of a batch, here and elsewhere, in the order of the images' numbers. kLossSecondMoment
  /// samples by the root of the losses' mean square over the last 10 at each t, mixed with 0.1 % of the uniform
  /// distribution, once every t has ten (Nichol & Dhariwal 2021).
  void end_batch(const Gather& gather);

  Tensor history;  ///< [T, 10] float32, the newest last
  Tensor counts;   ///< [T] int64, at most 10

 private:
  Timesteps kind_;
  int64_t steps_;
  uint64_t seed_;
  std::vector<Tensor> noted_;  ///< [n, 3] float64: number, t, loss
};

/// Timesteps [count] int64 of the images first, first + 1, ..., which lie evenly over 0 to num_steps - 1 in any stretch
/// of images, so that no class that stands together has its own: floor(T frac(i / golden ratio)).
Tensor spread_timesteps(int64_t first, int64_t count, int64_t num_steps);

/// Named numbers of a step or of a validation, in order of writing.
using Numbers = std::vector<std::pair<std::string, double>>;

/// What is to be minimised over a network's weights.
class Objective {
 public:
  virtual ~Objective() = default;
  /// Leaves the gradient of the mean loss, times `scale`, in the weights' .grad; returns "loss" and its parts.
  virtual Numbers backward(const Batch& batch, double scale) = 0;
  /// After the last part of every batch.
  virtual void end_batch(const Gather& /*gather*/) {}
  /// Judges another set of weights on held-out images.
  virtual Numbers validate(const checkpoint::StateDict& weights) = 0;
  /// The one of validate()'s numbers by which the best weights are chosen; smaller is better.
  virtual double criterion(const Numbers& numbers) const = 0;
  /// Tensors that must survive a restart, by name; read and written in place.
  virtual std::vector<std::pair<std::string, Tensor>> state() { return {}; }
};

/// What a diffusion model learns.
struct DenoisingConfig {
  diffusion::ProcessConfig process{};
  diffusion::Loss loss = diffusion::Loss::kRescaledMse;
  double mse_weight = 1;  ///< the squared error is weighted by 1/SNR(t) within [1, mse_weight]; 1 is off
  static constexpr Range kMseWeight{1, 1e6};
  Timesteps timesteps = Timesteps::kUniform;
  double label_dropout = 0;  ///< share of the labels replaced by the null label
  static constexpr Range kLabelDropout{0, 1};
  int64_t null_label = -1;
  uint64_t seed = 0;
};

/// Minimises the diffusion loss of a noise network opened by train(). Numbers: loss, mse, vb.
/// `build` makes the same network without weights, for validation on `held_out` (null: none) in float32.
std::unique_ptr<Objective> denoising(std::shared_ptr<networks::NoiseNetwork> network, DenoisingConfig config,
                                     std::function<std::shared_ptr<networks::Network>()> build,
                                     std::shared_ptr<const TrainingImages> held_out);

/// A classifier as a function of pixels x [B, C, H, W] in [-1, 1] and timesteps t [B]: logits [B, K].
using LogitsFunction = std::function<Tensor(const Tensor& x, const Tensor& t)>;

/// The function that a network with this config.json is, classifiers and networks of features with logits, rescaled as
/// its "calibration" says. UsageError for another network, CheckpointError for a damaged calibration.
LogitsFunction logits_function(std::shared_ptr<const networks::Network> network, const nlohmann::json& config);

/// By which number of its validation a classifier's best weights are chosen.
enum class Criterion { kNll, kEce, kLoss, kError };

/// What a classifier learns: cross entropy + lambda SmoothECE + entropy_weight (log K - H(p)).
struct ClassificationConfig {
  double lambda = 0;  ///< weight of the Smooth ECE; 0 is cross entropy alone
  static constexpr Range kLambda{0, 1000};
  double beta = 1e-4;         ///< of the Smooth ECE, in calibration::kSmoothEceBeta
  double entropy_weight = 0;  ///< of the entropy constraint (Zheng et al. 2022: 0.1), in kLambda; 0 is off
  bool noisy = false;         ///< learns on x_t at random t of `process`, as noise-aware classifiers do
  diffusion::ProcessConfig process{};
  Timesteps timesteps = Timesteps::kUniform;  ///< not kLossSecondMoment: the loss is of a batch, not of an image
  Criterion criterion = Criterion::kNll;
  uint64_t seed = 0;
};

class Judge;

/// Minimises that loss. Numbers: loss, cross_entropy, smooth_ece, entropy_constraint, accuracy; in validation loss,
/// accuracy, ece, nll.
class Classification : public Objective {
 public:
  Classification(std::shared_ptr<networks::Network> network, nlohmann::json model, ClassificationConfig config,
                 std::shared_ptr<const TrainingImages> held_out);
  Numbers backward(const Batch& batch, double scale) override;
  Numbers validate(const checkpoint::StateDict& weights) override;
  double criterion(const Numbers& numbers) const override;

  /// Calibration of the network with these weights, in float32, on images; a noise-aware one sees each image at a
  /// timestep and noise of its own, spread evenly over all timesteps, the same for any weights.
  calibration::Measures measure(const checkpoint::StateDict& weights, const TrainingImages& images);

 private:
  Tensor noised(const Tensor& x0, const Tensor& t, const std::vector<int64_t>& number, uint64_t seed) const;

  std::shared_ptr<networks::Network> network_;
  nlohmann::json model_;
  ClassificationConfig config_;
  std::shared_ptr<const TrainingImages> held_out_;
  diffusion::Process process_;
  TimestepSampler timesteps_;
  LogitsFunction logits_;
  std::shared_ptr<Judge> judge_;
  int64_t judge_classes_ = 1;
};

/// Minimises the cross entropy of a classifier of attributes, K heads that each answer yes or no: the mean over images
/// and heads of -log sigmoid(a f), a = 1 (yes) or -1 (no) of Batch::answers; unknown answers (0) count nothing.
/// Numbers: loss, accuracy; in validation loss, accuracy, error, nll (the loss) and ece (of the larger of p and 1 - p,
/// 15 bins), over all known answers together.
std::unique_ptr<Objective> attribute_classification(std::shared_ptr<networks::Network> network, nlohmann::json model,
                                                    ClassificationConfig config,
                                                    std::shared_ptr<const TrainingImages> held_out);

}  // namespace sextant::training
