// What a training meets: folders that go or are taken, losses that are not numbers.
#include "training/trainer_fixture.h"

namespace sextant::testing {
namespace {

using TrainingFaults = Training;

/// Does something in its third step.
struct Busy : Classification {
  using Classification::Classification;
  Numbers backward(const Batch& batch, double scale) override {
    if (++steps == 3) work();
    return Classification::backward(batch, scale);
  }
  std::function<void()> work;
  int steps = 0;
};

TEST_F(TrainingFaults, EndsAtTheStepInWhichItsFolderIsRemoved) {
  const TrainerConfig c = config("a");  // which saves every fifth step
  const auto network = tiny_network(kTinyClassifier);
  Busy objective(network, kTinyClassifier, {}, images_);
  objective.work = [&] { std::filesystem::remove_all(c.folder); };
  EXPECT_EQ(message_of<Error>([&] { run(*network, objective, c, 0); }),
            c.folder.string() +
                ": No such file or directory: it was removed while the training was writing into it; "
                "start it again");
  EXPECT_EQ(objective.steps, 3);
  EXPECT_FALSE(std::filesystem::exists(c.folder));
}

TEST_F(TrainingFaults, KeepsASecondOneOutOfItsFolder) {
  const TrainerConfig c = config("a");
  const auto network = tiny_network(kTinyClassifier);
  Busy objective(network, kTinyClassifier, {.lambda = 1}, images_);
  std::string message;
  objective.work = [&] { message = message_of<Error>([&] { classify(c); }); };
  const TrainerResult result = run(*network, objective, c, 0);
  EXPECT_EQ(message, "another training is writing to " + c.folder.string() + "; choose another out folder");
  expect_same(result.weights, classify(config("b")).weights);
}

/// A loss that is NaN from some step on.
struct Breaking : Classification {
  using Classification::Classification;
  Numbers backward(const Batch& batch, double scale) override {
    Numbers numbers = Classification::backward(batch, scale);
    if (batch.number.front() >= 80) numbers.front().second = NAN;
    return numbers;
  }
};

TEST_F(TrainingFaults, StopsAtALossThatIsNotANumberAndKeepsTheLastGoodSnapshot) {
  const TrainerConfig c = config("a");
  const auto network = tiny_network(kTinyClassifier);
  Breaking objective(network, kTinyClassifier, ClassificationConfig{}, images_);
  try {
    run(*network, objective, c, 0);
    ADD_FAILURE();
  } catch (const NumericError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("the loss is nan at step 9, learning rate 0.00"), std::string::npos) << message;
    EXPECT_NE(message.find("the checkpoint of step 5 is good"), std::string::npos) << message;
  }
  EXPECT_EQ(Snapshots(c.folder / "checkpoints").newest()->step, 5);
}

}  // namespace
}  // namespace sextant::testing
