// The loop of a training: batches, gradients, optimiser, average, validation, snapshots and the log of numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "sextant/networks/network.h"
#include "sextant/runtime/progress.h"
#include "sextant/runtime/range.h"
#include "sextant/training/objectives.h"

namespace sextant::training {

/// Draws new weights as the networks' authors do: PyTorch's defaults (uniform within 1/sqrt(fan in)); normals of
/// variance 2/fan for the convolutions of ResNets; zeros for the last layers of ADM's blocks; norms start at 1 and 0.
/// UsageError for a family without a rule.
void initialise(networks::Network& network, const std::string& family, uint64_t seed);

/// Rises linearly over the first `warmup` steps, then falls towards `lr_final` of the largest, which the step after the
/// last would have, as with PyTorch's schedulers.
struct LearningRateSchedule {
  enum class Decay { kConstant, kLinear, kCosine };
  double lr = 1e-3;  ///< the largest
  static constexpr Range kLr{0, 10, true};
  int64_t warmup = 0;
  static constexpr Range kWarmup{0, 1e9};
  Decay decay = Decay::kCosine;
  double lr_final = 0;  ///< as a share of `lr`
  static constexpr Range kLrFinal{0, 1};
  int64_t steps = 1;  ///< of the training

  double at(int64_t step) const;  ///< step from 0
};

/// Adam (Kingma & Ba 2015), as PyTorch computes it.
struct AdamConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  static constexpr Range kBeta{0, 0.9999999};  ///< of both
  double eps = 1e-8;
  double weight_decay = 0;
  static constexpr Range kWeightDecay{0, 10};
  bool decoupled = true;  ///< AdamW (Loshchilov & Hutter 2019); else Adam with the decay in the gradient
};

// Every random number of a training is a pure function of the seed and of counters (the step, the number of an image in
// the whole training), so a run that was killed and started again ends in the same bits as one that was not, on the
// same device with the same number of threads. There is no generator whose state would have to be saved.

struct TrainerConfig {
  std::filesystem::path folder;  ///< gets checkpoints/ and metrics.jsonl
  /// The folder's snapshots are of another training. They and its records go when the first of this one is saved.
  bool replaces = false;
  nlohmann::json identity;  ///< settings that the result depends on; a snapshot of others is not continued
  int64_t steps = 0;
  static constexpr Range kSteps{0, 1e9};
  int64_t batch = 64;
  static constexpr Range kBatch{1, 1e6};
  int64_t micro_batch = 0;  ///< images whose gradient is taken at once, the step's being their sum; 0 is the whole
                            ///< batch. Saves memory; changes rounding, and the statistics of batch norms
  static constexpr Range kMicroBatch{0, 1e6};
  uint64_t seed = 0;
  AdamConfig adam;
  LearningRateSchedule learning_rate;
  double ema = 0;  ///< rate of the exponential moving average, at update n = 1, 2, ... min(ema, (1 + n)/(10 + n)), so
                   ///< that the first weights fade; 0 keeps the weights as they are
  static constexpr Range kEma{0, 0.9999999};
  double clip = 0;  ///< largest norm of the gradient; 0 is off
  static constexpr Range kClip{0, 1e6};
  Augmentation augmentation;
  int64_t workers = 2;  ///< threads that read and augment ahead; 0 is none
  static constexpr Range kWorkers{0, 256};
  int64_t checkpoint_every = 500;  ///< steps
  int64_t log_every = 50;          ///< steps
  static constexpr Range kEvery{1, 1e9};
  int64_t sample_every = 0;  ///< steps; 0 is off
  static constexpr Range kSampleEvery{0, 1e9};
  int64_t patience = 0;  ///< validations without a better one after which it stops; 0 is off
  static constexpr Range kPatience{0, 1e9};
  bool validates = false;   ///< at the end of each epoch and of the training
  bool keeps_best = false;  ///< the result is the average at the best validation, not the last
  at::ScalarType compute = at::kFloat;
};

struct TrainerResult {
  int64_t steps = 0;              ///< finished, those of former runs included
  bool complete = false;          ///< false after a stop
  bool stopped_early = false;     ///< by `patience`
  int64_t best_step = 0;          ///< of `weights`
  double images_per_second = 0;   ///< of this run, without validation and saving
  checkpoint::StateDict weights;  ///< empty after a stop
};

/// Draws samples with the averaged weights after `step` steps.
using SampleHook = std::function<void(int64_t step, const checkpoint::StateDict& weights)>;

/// Trains `network`, which has its first weights and was opened by train(), on `images`. Continues from the newest
/// snapshot in the folder, bit by bit as if it had never stopped. UsageError for a setting out of its range, and when
/// the snapshot is of other settings, naming the first that differs; NumericError, with step and learning rate, when
/// the loss or the gradient is not finite: the snapshots stay.
TrainerResult train(networks::Network& network, Objective& objective, const TrainingImages& images,
                    const TrainerConfig& config, const SampleHook& sample, Progress& progress, const Stop& stop);

}  // namespace sextant::training
