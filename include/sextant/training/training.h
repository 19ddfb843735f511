// Training: weights, optimiser, average, timesteps, what is minimised, and state that a killed run continues from.
//
// Every random number of a training is a pure function of the seed and of counters (the step, the number of an image in
// the whole training), so a run that was killed and started again ends in the same bits as one that was not, on the
// same device with the same number of threads. There is no generator whose state would have to be saved.
//
// All throw UsageError for settings, DataError for data, NumericError for numbers that left the finite.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sextant/networks/noise_network.h"
#include "sextant/runtime/tensor.h"
#include "sextant/training/data.h"

namespace sextant::training {

// ---- the weights ------------------------------------------------------------------------------------------------

/// Draws new weights as the networks' authors do: PyTorch's defaults (uniform within 1/sqrt(fan in)); normals of
/// variance 2/fan for the convolutions of ResNets; zeros for the last layers of ADM's blocks; norms start at 1 and 0.
/// UsageError for a family without a rule.
void initialise(networks::Network& network, const std::string& family, uint64_t seed);

/// A network's trainable numbers as one float32 vector, whatever the network computes in. Half-precision networks
/// compute with rounded copies; float32 ones with views.
class Weights {
 public:
  /// The network must be in float32 and opened by Network::train(); it is left computing in `compute`.
  Weights(networks::Network& network, at::ScalarType compute);

  int64_t size() const { return master_.numel(); }
  Tensor master() const { return master_; }  ///< [P] float32, on the network's device
  /// The gradients that backward passes left, times `factor`, [P]; clears them.
  Tensor take_gradient(double factor);
  /// Rounds the master weights into a half-precision network.
  void publish();
  /// Running statistics and counters, which training moves without gradients, by name.
  const std::vector<std::pair<std::string, Tensor>>& buffers() const { return buffers_; }
  /// Copies as Network::load takes them: the parameters out of `flat` [P], the buffers as given, in their order.
  checkpoint::StateDict state(const Tensor& flat, const std::vector<Tensor>& buffers) const;

 private:
  struct Slot {
    std::string name;
    Tensor handle;
    int64_t offset;
  };
  std::vector<Slot> slots_;
  std::vector<std::pair<std::string, Tensor>> buffers_;
  Tensor master_;
};

/// An exponential moving average: a <- rate a + (1 - rate) w, with rate min(rate, (1 + n) / (10 + n)) at update n = 1,
/// 2, ...
class Average {
 public:
  Average(const Weights& weights, double rate);
  void update(const Weights& weights);
  checkpoint::StateDict state(const Weights& weights) const { return weights.state(flat_, buffers_); }

  Tensor flat() const { return flat_; }
  std::vector<Tensor>& buffers() { return buffers_; }
  int64_t updates = 0;

 private:
  double rate_;
  Tensor flat_;
  std::vector<Tensor> buffers_;
};

// ---- the optimiser ----------------------------------------------------------------------------------------------

struct AdamConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled = true;  ///< AdamW (Loshchilov & Hutter 2019); else Adam with the decay in the gradient
};

/// Adam (Kingma & Ba 2015) on one vector, as PyTorch computes it.
class Adam {
 public:
  Adam(const Tensor& weights, AdamConfig config);
  /// Moves `weights` [P] in place.
  void step(const Tensor& weights, const Tensor& gradient, double learning_rate);

  int64_t steps = 0;
  Tensor first, second;  ///< the moments, [P]

 private:
  AdamConfig config_;
};

/// Rises linearly over the first `warmup` steps, then falls to `final_share` of the peak at the last step.
struct LearningRate {
  enum class Decay { kConstant, kLinear, kCosine };
  double peak = 1e-3;
  int64_t warmup = 0;
  Decay decay = Decay::kConstant;
  double final_share = 0;
  int64_t total = 1;  ///< steps

  double at(int64_t step) const;  ///< step from 0
};

/// The factor that keeps float16 gradients from vanishing: halved when they overflow, never below `floor`; doubled
/// after `patience` steps without.
struct LossScale {
  double scale = 1;
  double floor = 1;
  int64_t patience = 2000;
  int64_t good_steps = 0;
  bool dynamic = false;  ///< off, the scale stays as it is

  static LossScale of(at::ScalarType compute);
  /// Takes note of a step. False where its gradients overflowed and the step must be left out. NumericError once they
  /// do so at the floor.
  bool update(bool finite);
};

// ---- what a training learns -------------------------------------------------------------------------------------

enum class Timesteps { kUniform, kStratified, kLossSecondMoment };

/// Draws timesteps and the weights that keep the loss unbiased.
class TimestepSampler {
 public:
  TimestepSampler(Timesteps kind, int64_t steps, uint64_t seed);

  struct Drawn {
    Tensor t;        ///< [B] int64
    Tensor weights;  ///< [B] float32, ones unless importance-sampled
  };
  Drawn draw(const std::vector<int64_t>& number) const;
  /// Losses [B] at t [B]; kLossSecondMoment samples by the root of their mean square over the last 10 at each t, mixed
  /// with 0.1 % of the uniform distribution, once every t has ten (Nichol & Dhariwal 2021).
  void note(const Tensor& t, const Tensor& losses);

  Tensor history;  ///< [T, 10] float32, the newest last
  Tensor counts;   ///< [T] int64, at most 10

 private:
  Timesteps kind_;
  int64_t steps_;
  uint64_t seed_;
};

/// Named numbers of a step or of a validation, in order of writing.
using Numbers = std::vector<std::pair<std::string, double>>;

/// What is to be minimised over a network's weights.
class Objective {
 public:
  virtual ~Objective() = default;
  /// Leaves the gradient of the mean loss, times `scale`, in the weights' .grad; returns "loss" and its parts.
  virtual Numbers backward(const Batch& batch, double scale) = 0;
  /// Judges another set of weights on held-out images.
  virtual Numbers validate(const checkpoint::StateDict& weights) = 0;
  /// Of validate()'s numbers, the one by which the best weights are chosen; smaller is better.
  virtual double criterion(const Numbers& numbers) const = 0;
  /// Tensors that must survive a restart, by name; read and written in place.
  virtual std::vector<std::pair<std::string, Tensor>> state() { return {}; }
};

// ---- state on disk ----------------------------------------------------------------------------------------------

/// All that a training continues from: named tensors and a JSON object.
struct Snapshot {
  int64_t step = 0;
  checkpoint::StateDict tensors;
  nlohmann::json facts = nlohmann::json::object();
};

/// The snapshots of one run in a folder: each appears whole or not at all, the last two stay.
class Snapshots {
 public:
  explicit Snapshots(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void save(const Snapshot& snapshot) const;
  /// The newest that can be read, if there is one.
  std::optional<Snapshot> newest() const;

 private:
  std::vector<std::filesystem::path> files() const;  ///< newest first
  std::filesystem::path folder_;
};

}  // namespace sextant::training
