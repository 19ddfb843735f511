#include <csignal>
#include <fstream>
#include <thread>

#include "cli/train_fixture.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/classifier.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/noise.h"

namespace sextant::cli::testing {
namespace {

bool wait_for(const fs::path& file) {
  for (int i = 0; i < 6000; ++i) {
    if (fs::exists(file)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST(Train, KilledAtAnyMomentEndsInTheSameBytes) {
  const TemporaryFolder folder;
  const Words long_run = {"--steps", "240"};
  ASSERT_EQ(sextant(tiny(folder, "whole", long_run)).exit_code, 0);
  for (const int64_t step : {3, 30, 90}) {
    Program program(tiny(folder, "killed", long_run));
    std::string number = std::to_string(step);
    number.insert(0, 9 - number.size(), '0');
    // Snapshots come and go: wait for this one or a later one.
    for (int i = 0; i < 6000; ++i) {
      bool there = false;
      std::error_code ignored;
      for (const auto& entry : fs::directory_iterator(folder / "killed/checkpoints", ignored)) {
        there = there || entry.path().filename().string() >= "step-" + number;
      }
      if (there) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    program.signal(SIGKILL);
    EXPECT_EQ(program.finish().exit_code, 128 + SIGKILL);
    EXPECT_FALSE(fs::exists(folder / "killed/model.safetensors"));
  }
  const Outcome outcome = sextant(tiny(folder, "killed", {"--steps", "240", "--workers", "0"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(read_file(folder / "killed/model.safetensors"), read_file(folder / "whole/model.safetensors"));
}

TEST(Train, GivesTheSameBytesForAnyNumberOfWorkers) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(tiny(folder, "one", {"--workers", "1"})).exit_code, 0);
  ASSERT_EQ(sextant(tiny(folder, "many", {"--workers", "6"})).exit_code, 0);
  EXPECT_EQ(read_file(folder / "one/model.safetensors"), read_file(folder / "many/model.safetensors"));
}

TEST(Train, InterruptedSavesAndContinues) {
  const TemporaryFolder folder;
  Program program(tiny(folder, "o", {"--steps", "2000", "--checkpoint-every", "5"}));
  ASSERT_TRUE(wait_for(folder / "o/checkpoints/step-000000005.safetensors"));
  program.signal(SIGTERM);
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 143) << outcome.err;
  EXPECT_NE(outcome.out.find("the same command continues"), std::string::npos) << outcome.out;
  EXPECT_FALSE(fs::exists(folder / "o/model.safetensors"));
}

TEST(Train, MakesAModelFolderThatOtherCommandsTake) {
  const TemporaryFolder folder;
  const Outcome outcome = sextant(tiny(folder, "o", {"--hold-out", "50"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NO_THROW(models::open_classifier({.path = (folder / "o").string()}, {}));
  for (const char* file : {"run.json", "metrics.jsonl", "loss.svg", "learning-rate.svg", "gradient-norm.svg"}) {
    if (fs::path(file).extension() == ".svg" && !report::can_draw()) continue;
    EXPECT_TRUE(fs::exists(folder / "o" / file)) << file;
  }
  EXPECT_NE(read_file(folder / "o/metrics.jsonl").find("\"validation\""), std::string::npos);
  const Outcome again = sextant(tiny(folder, "o", {"--hold-out", "50"}));
  EXPECT_NE(again.out.find("(trained before this run)"), std::string::npos) << again.out;
}

TEST(Train, RepeatsARunFromItsRecord) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(tiny(folder, "o")).exit_code, 0);
  const Outcome outcome =
      sextant({"train", "--recipe", (folder / "o/run.json").string(), "--out", (folder / "again").string()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(read_file(folder / "o/model.safetensors"), read_file(folder / "again/model.safetensors"));
}

TEST(Train, TeachesADiffusionModelThatDrawsSamples) {
  const TemporaryFolder folder;
  const std::string out = folder / "o";
  const Outcome outcome =
      sextant({"train", "--model", bundled("mnist-adm"), "--data", digits(), "--steps", "3", "--batch", "4",
               "--label-dropout", "0.2", "--sample-every", "2", "--threads", "1", "--out", out});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(fs::exists(out + "/samples/step-0000002.png"));
  const Outcome drawn = sextant({"sample", "--model", out, "--labels", "0-9", "--count", "2", "--steps", "2",
                                 "--threads", "1", "--out", (folder / "s").string()});
  EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
}

TEST(Finetune, ComparesCalibrationBeforeAndAfter) {
  const TemporaryFolder folder;
  const Outcome outcome =
      sextant({"finetune", "--model", bundled("mnist-classifier-overconfident"), "--data", digits(), "--hold-out", "80",
               "--steps", "4", "--batch", "20", "--threads", "1", "--out", (folder / "o").string()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("before"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("ECE"), std::string::npos);
  for (const char* file : {"calibration.md", "config.json"}) EXPECT_TRUE(fs::exists(folder / "o" / file)) << file;
  for (const char* file : {"reliability-before.svg", "reliability-after.png"}) {
    EXPECT_EQ(fs::exists(folder / "o" / file), report::can_draw()) << file;
  }
  const auto record = nlohmann::json::parse(read_file(folder / "o/run.json"));
  EXPECT_EQ(record.at("before").at("count"), 80);
}

TEST(Finetune, TakesNoiseAwareClassifiers) {
  const TemporaryFolder folder;
  const Outcome outcome =
      sextant({"finetune", "--model", bundled("mnist-noisy-classifier"), "--data", digits(), "--hold-out", "40",
               "--steps", "2", "--batch", "8", "--threads", "1", "--out", (folder / "o").string()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST(TrainingRecipes, AreUnderstoodAndFitTheirModels) {
  const fs::path here = fs::current_path();
  fs::current_path(sextant::testing::source_dir());  // recipes name bundled models from there
  int64_t seen = 0;
  for (const auto& entry : fs::directory_iterator("recipes")) {
    const std::string name = entry.path().filename().string();
    const bool finetunes = name.rfind("finetune-", 0) == 0;
    if (!finetunes && name.rfind("train-", 0) != 0) continue;
    ++seen;
    Words words = {finetunes ? "finetune" : "train", "--recipe", entry.path().string(), "--data", "nowhere"};
    if (name == "finetune-cifar10.toml")
      words.insert(words.end(), {"--model", "models/mnist-classifier", "--arch", ""});
    if (name == "finetune-adm128-classifier.toml") {
      words.insert(words.end(), {"--model", "models/mnist-noisy-classifier", "--arch", "", "--device", "cpu",
                                 "--validation", "nowhere", "--precision", "fp32"});
    }
    // A recipe in half precision is for a card: here it is read to the end on the processor.
    if (name == "train-adm128-classifier-entropy.toml")
      words.insert(words.end(), {"--device", "cpu", "--precision", "fp32"});
    const Outcome outcome = sextant(words);
    // Everything before the images was in order.
    EXPECT_EQ(outcome.exit_code, 1) << name << outcome.err;
    EXPECT_NE(outcome.err.find("nowhere: does not exist"), std::string::npos) << name << outcome.err;
  }
  fs::current_path(here);
  EXPECT_GE(seen, 9);
}

// ---- what is wrong must be said in one line

TEST(TrainRefuses, LabelsThatAreNoClass) {
  const TemporaryFolder folder;
  const fs::path data = folder / "bad.npz";
  checkpoint::save_npz(data,
                       {{"arr_0", at::zeros({3, 28, 28, 1}, at::kByte)}, {"arr_1", at::tensor({0, 12, 3}, at::kLong)}});
  expect_refusal(sextant(on(folder, data)), 1, "bad.npz image 1: label 12 is no class of the network, 0-9");
}

TEST(TrainRefuses, AnEmptyClassFolder) {
  const TemporaryFolder folder;
  const fs::path set = class_folders(folder);
  for (const char* number : {"0", "1"}) fs::rename(set / number, set / ("class " + std::string(number, 1) + " of two"));
  fs::create_directories(set / "bee");
  expect_refusal(sextant(on(folder, set)), 1, "set/bee");
}

TEST(TrainRefuses, AnImageThatCannotBeRead) {
  const TemporaryFolder folder;
  const fs::path set = class_folders(folder);
  std::ofstream(set / "1/3.png") << "no picture";
  expect_refusal(sextant(on(folder, set)), 1, "1/3.png: is no PNG, JPEG, BMP or WebP image");
}

TEST(TrainRefuses, ToContinueWithOtherSettings) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(tiny(folder, "o")).exit_code, 0);
  expect_refusal(sextant(tiny(folder, "o", {"--lr", "0.1"})), 2, "[optimizer] lr is 0.003 there and 0.1 here");
  EXPECT_EQ(sextant(tiny(folder, "o", {"--lr", "0.1", "--overwrite"})).exit_code, 0);
}

TEST(TrainRefuses, ToLoseCheckpointsOnAFullDisk) {
  const TemporaryFolder folder;
  const Outcome outcome = Program(tiny(folder, "o"), 20000).finish();
  expect_refusal(outcome, 1, "cannot be written: File too large");
  EXPECT_EQ(outcome.err.find("terminate"), std::string::npos);
}

TEST(TrainRefuses, SettingsThatContradict) {
  const TemporaryFolder folder;
  expect_refusal(sextant(tiny(folder, "o", {"--arch", "resnet18"})), 2, "give one");
  expect_refusal(sextant({"train", "--data", digits(), "--steps", "1"}), 2, "--model or --arch is needed");
  expect_refusal(sextant({"train", "--model", bundled("mnist-classifier")}), 2, "--data is needed");
  expect_refusal(sextant({"train", "--model", bundled("mnist-classifier"), "--data", digits(), "--out", folder / "p"}),
                 2, "--epochs or --steps is needed");
  expect_refusal(
      sextant({"finetune", "--model", bundled("mnist-classifier"), "--data", digits(), "--out", folder / "q"}), 2,
      "images to measure calibration on");
  expect_refusal(sextant(tiny(folder, "r", {"--timesteps", "loss-second-moment"})), 2,
                 "choose uniform or stratified for a classifier");
}

}  // namespace
}  // namespace sextant::cli::testing
