// Trainings of milliseconds, in a folder of their own.
#pragma once

#include <fstream>
#include <sstream>

#include "internal/runtime/files.h"
#include "internal/training/snapshots.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"
#include "sextant/training/trainer.h"
#include "support/errors.h"
#include "training/tiny_training.h"

namespace sextant::testing {

using namespace training;

class Training : public ::testing::Test {
 protected:
  Training()
      : images_(std::make_shared<TrainingImages>(
            TrainingImages::Source{tiny_images(folder_ / "set.npz"), data::Split::kTrain, {}}, 1, 8, 3)) {}

  TrainerConfig config(const std::string& out) {
    TrainerConfig c;
    c.folder = folder_ / out;
    std::filesystem::create_directories(c.folder);
    c.identity = {{"train", {{"lr", 0.01}}}};
    c.steps = 24;
    c.batch = 10;
    c.learning_rate = {0.01, 3, LearningRateSchedule::Decay::kCosine, 0, 24};
    c.ema = 0.9;
    c.clip = 1;
    c.augmentation = {1, 0, false};
    c.checkpoint_every = 5;
    c.log_every = 4;
    return c;
  }

  /// Trains a classifier; `stop_after` > 0 asks for a stop after so many steps of this run.
  TrainerResult classify(const TrainerConfig& c, int64_t stop_after = 0) {
    const auto network = tiny_network(kTinyClassifier);
    Classification objective(network, kTinyClassifier, {.lambda = 1}, images_);
    return run(*network, objective, c, stop_after);
  }

  TrainerResult denoise(const TrainerConfig& c, int64_t stop_after = 0) {
    const auto network = tiny_network(kTinyDenoiser);
    DenoisingConfig d;
    d.process = models::process_config(kTinyDenoiser.at("diffusion"));
    d.null_label = 3;
    d.label_dropout = 0.3;
    d.timesteps = Timesteps::kLossSecondMoment;
    const auto build = [] { return std::shared_ptr<networks::Network>(models::build(kTinyDenoiser)); };
    const auto objective = denoising(std::dynamic_pointer_cast<networks::NoiseNetwork>(network), d, build, images_);
    return run(*network, *objective, c, stop_after);
  }

  TrainerResult run(networks::Network& network, Objective& objective, const TrainerConfig& c, int64_t stop_after) {
    /// Asks for the stop from within.
    struct Counting : Objective {
      Counting(Objective& inner_, Stop& stop_, int64_t left_) : inner(inner_), stop(stop_), left(left_) {}
      Numbers backward(const Batch& batch, double scale) override {
        if (--left == 0) stop.request(2);
        return inner.backward(batch, scale);
      }
      void end_batch(const Gather& gather) override { inner.end_batch(gather); }
      Numbers validate(const checkpoint::StateDict& weights) override { return inner.validate(weights); }
      double criterion(const Numbers& numbers) const override { return inner.criterion(numbers); }
      std::vector<std::pair<std::string, Tensor>> state() override { return inner.state(); }
      Objective& inner;
      Stop& stop;
      int64_t left;
    };
    Stop stop;
    Counting counting(objective, stop, stop_after);
    const auto progress = make_progress(ProgressStyle::kQuiet, said_);
    return train(network, counting, *images_, c, {}, *progress, stop);
  }

  static void expect_same(const checkpoint::StateDict& a, const checkpoint::StateDict& b) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [name, tensor] : a) EXPECT_TRUE(tensor.equal(b.at(name))) << name;
  }

  TemporaryFolder folder_;
  std::shared_ptr<TrainingImages> images_;
  std::ostringstream said_;
};

}  // namespace sextant::testing
