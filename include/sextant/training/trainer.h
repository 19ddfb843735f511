// The loop of a training: batches, gradients, optimiser, average, validation, snapshots and the log of numbers.
//
// Every random number of a training is a pure function of the seed and of counters (the step, the number of an image in
// the whole training), so a run that was killed and started again ends in the same bits as one that was not, on the
// same device with the same number of threads. There is no generator whose state would have to be saved.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "sextant/runtime/progress.h"
#include "sextant/runtime/range.h"
#include "sextant/runtime/stop.h"
#include "sextant/training/adam.h"
#include "sextant/training/learning_rate.h"
#include "sextant/training/loader.h"
#include "sextant/training/objectives.h"

namespace sextant::training {

struct TrainerConfig {
  std::filesystem::path folder;  ///< gets checkpoints/ and metrics.jsonl
  nlohmann::json identity;       ///< settings that the result depends on; a snapshot of others is not continued
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
  double ema = 0;  ///< rate of the exponential moving average; 0 keeps the weights as they are
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
