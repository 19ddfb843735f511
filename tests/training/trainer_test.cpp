#include "training/trainer_fixture.h"

namespace sextant::testing {
namespace {

TEST_F(Training, InMicroBatchesHasTheGradientOfTheWholeBatch) {
  const auto first_line = [&](const std::string& out, int64_t micro_batch) {
    TrainerConfig c = config(out);
    c.steps = c.log_every = 1;
    c.micro_batch = micro_batch;
    denoise(c);
    return nlohmann::json::parse(read_file(c.folder / "metrics.jsonl"));
  };
  const nlohmann::json whole = first_line("whole", 0);
  for (const int64_t micro_batch : {3, 5, 10, 64}) {  // 10 images: 3 leave one
    const nlohmann::json parts = first_line("parts" + std::to_string(micro_batch), micro_batch);
    for (const char* number : {"loss", "gradient_norm"}) {
      const double expected = whole.at(number);
      EXPECT_NEAR(parts.at(number).get<double>(), expected, 1e-5 * expected) << number << " by " << micro_batch;
    }
  }
}

TEST_F(Training, TeachesAClassifier) {
  TrainerConfig c = config("a");
  c.steps = c.learning_rate.steps = 60;
  const TrainerResult result = classify(c);
  EXPECT_TRUE(result.complete);
  const auto network = tiny_network(kTinyClassifier);
  Classification objective(network, kTinyClassifier, {}, images_);
  EXPECT_GT(objective.measure(result.weights, *images_).accuracy, 0.95);
}

TEST_F(Training, StoppedAndContinuedEndsInTheSameBits) {
  const TrainerResult whole = classify(config("whole"));
  for (const int64_t after : {1, 7, 13}) {
    const TrainerConfig c = config("parts" + std::to_string(after));
    const TrainerResult part = classify(c, after);
    EXPECT_FALSE(part.complete);
    EXPECT_EQ(part.steps, after);
    expect_same(classify(c).weights, whole.weights);
  }
}

TEST_F(Training, OfADiffusionModelContinuesInTheSameBits) {
  TrainerConfig c = config("whole");
  c.validates = true;
  const TrainerResult whole = denoise(c);
  c = config("parts");
  c.validates = true;
  EXPECT_EQ(denoise(c, 9).steps, 9);
  expect_same(denoise(c).weights, whole.weights);
}

TEST_F(Training, LostSnapshotsCostStepsOnly) {
  const TrainerResult whole = classify(config("whole"));
  const TrainerConfig c = config("parts");
  classify(c, 13);  // snapshots of steps 10 and 13
  std::ofstream(c.folder / "checkpoints/step-000000013.safetensors") << "cut";
  expect_same(classify(c).weights, whole.weights);
}

TEST_F(Training, RefusesADamagedState) {
  const TrainerConfig c = config("a");
  classify(c, 6);
  const Snapshots snapshots(c.folder / "checkpoints");
  const Snapshot whole = *snapshots.newest();
  const std::vector<std::pair<std::string, nlohmann::json>> damages = {
      {"adam_steps", "six"}, {"loss_scale", nullptr}, {"best", {{"step", 5}}}, {"best", "the third"}};
  for (const auto& [fact, value] : damages) {
    Snapshot damaged = whole;
    damaged.facts[fact] = value;
    snapshots.save(damaged);
    const std::string message = message_of<CheckpointError>([&] { classify(c); });
    EXPECT_NE(message.find("a: the training's state of step 6 is damaged: "), std::string::npos) << message;
  }
  Snapshot before = whole;
  before.step = -3;
  std::filesystem::remove_all(c.folder / "checkpoints");
  snapshots.save(before);
  EXPECT_NE(message_of<CheckpointError>([&] { classify(c); }).find("is no training state"), std::string::npos);
}

TEST_F(Training, KeepsTheLastTwoSnapshots) {
  const TrainerConfig c = config("a");
  classify(c);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(c.folder / "checkpoints")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"step-000000020.safetensors", "step-000000024.safetensors"}));
}

TEST_F(Training, WorkersChangeNothing) {
  TrainerConfig one = config("one"), many = config("many");
  one.workers = 0;
  many.workers = 5;
  expect_same(classify(one).weights, classify(many).weights);
}

TEST_F(Training, RefusesToContinueOneOfOtherSettings) {
  TrainerConfig c = config("a");
  classify(c, 6);
  c.identity["train"]["lr"] = 0.02;
  EXPECT_NE(message_of<UsageError>([&] { classify(c); }).find("[train] lr is 0.01 there and 0.02 here"),
            std::string::npos);
}

TEST_F(Training, RefusesSettingsOutOfTheirRanges) {
  const auto message = [&](auto change) {
    TrainerConfig c = config("refused");
    change(c);
    return message_of<UsageError>([&] { classify(c); });
  };
  EXPECT_EQ(message([](auto& c) { c.batch = 0; }), "train: batch must be a number from 1 to 1e+06, got 0");
  EXPECT_EQ(message([](auto& c) { c.ema = 1; }), "train: ema must be a number from 0 to 0.9999999, got 1");
  EXPECT_EQ(message([](auto& c) { c.learning_rate.lr = 0; }), "train: lr must be a number above 0 to 10, got 0");
  EXPECT_EQ(message([](auto& c) { c.log_every = 0; }), "train: log-every must be a number from 1 to 1e+09, got 0");
  EXPECT_EQ(message([](auto& c) { c.augmentation.crop_fill = 256; }),
            "train: crop-fill must be a number from 0 to 255, got 256");
  EXPECT_EQ(message([](auto& c) { c.adam.beta2 = 1; }), "adam: beta2 must be a number from 0 to 0.9999999, got 1");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "refused" / "checkpoints"));
}

TEST_F(Training, LogsTheSameLinesAfterAStop) {
  const auto logged = [&](const std::string& out, int64_t stop_after) {
    const TrainerConfig c = config(out);
    if (stop_after > 0) classify(c, stop_after);
    classify(c);
    std::vector<nlohmann::json> entries;
    std::istringstream lines(read_file(c.folder / "metrics.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      entries.push_back(nlohmann::json::parse(line));
      entries.back()["images_per_second"] = entries.back().at("images_per_second").is_number();
    }
    return entries;
  };
  const auto whole = logged("whole", 0);
  std::vector<int64_t> steps;
  for (const auto& entry : whole) {
    steps.push_back(entry.at("step"));
    for (const char* key : {"loss", "learning_rate", "gradient_norm"}) EXPECT_TRUE(entry.at(key).is_number()) << key;
  }
  EXPECT_EQ(steps, (std::vector<int64_t>{4, 8, 12, 16, 20, 24}));
  for (const int64_t step : {3, 4, 13}) EXPECT_EQ(logged(std::to_string(step), step), whole) << step;
}

TEST_F(Training, EndsEarlyWithoutProgressAndKeepsTheBest) {
  TrainerConfig c = config("a");
  c.steps = c.learning_rate.steps = 600;
  c.validates = c.keeps_best = true;
  c.patience = 2;
  c.learning_rate.lr = 1e-12;  // too small to get anywhere
  c.ema = 0;
  c.checkpoint_every = 1000;
  struct Worsening : Classification {
    using Classification::Classification;
    Numbers validate(const checkpoint::StateDict&) override { return {{"nll", static_cast<double>(++validations)}}; }
    int validations = 0;
  };
  const auto network = tiny_network(kTinyClassifier);
  Worsening objective(network, kTinyClassifier, ClassificationConfig{}, images_);
  const TrainerResult result = run(*network, objective, c, 0);
  EXPECT_TRUE(result.complete);
  EXPECT_TRUE(result.stopped_early);
  EXPECT_EQ(result.steps, 18);  // the third epoch of 60 images
  EXPECT_EQ(result.best_step, 6);
}

TEST_F(Training, InBfloat16TeachesAsWell) {
  TrainerConfig c = config("a");
  c.steps = c.learning_rate.steps = 60;
  c.compute = at::kBFloat16;
  const TrainerResult result = classify(c);
  EXPECT_EQ(result.weights.at("fc.weight").scalar_type(), at::kFloat);
  const auto network = tiny_network(kTinyClassifier);
  Classification objective(network, kTinyClassifier, {}, images_);
  EXPECT_GT(objective.measure(result.weights, *images_).accuracy, 0.9);
}

}  // namespace
}  // namespace sextant::testing
