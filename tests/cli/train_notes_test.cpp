// What a training says of settings and weights that do not go with its network.
#include <nlohmann/json.hpp>

#include "cli/train_fixture.h"

namespace sextant::cli::testing {
namespace {

using nlohmann::json;

void expect_note(const Outcome& outcome, const std::string& text) {
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("note: " + text + "\n"), std::string::npos) << text << "\n" << outcome.err;
}

TEST(TrainNotes, SettingsWithoutEffectOnAClassifier) {
  const TemporaryFolder folder;
  const Outcome outcome = sextant(tiny(folder, "o",
                                       {"--steps",
                                        "1",
                                        "--loss",
                                        "kl",
                                        "--mse-weight",
                                        "5",
                                        "--label-dropout",
                                        ".5",
                                        "--timesteps",
                                        "stratified",
                                        "--sample-every",
                                        "1",
                                        "--keep",
                                        "best",
                                        "--patience",
                                        "2",
                                        "--validation-count",
                                        "3",
                                        "--predict",
                                        "v",
                                        "--lr-final",
                                        "0.1",
                                        "--decay",
                                        "constant",
                                        "--crop",
                                        "0",
                                        "--crop-fill",
                                        "9",
                                        "--epochs",
                                        "3",
                                        "--weights",
                                        "ema"}));
  for (const char* name : {"loss", "mse-weight", "label-dropout", "predict", "sample-every"})
    expect_note(outcome, "--" + std::string(name) + " has no effect on a classifier");
  for (const char* name : {"keep", "patience", "validation-count"})
    expect_note(outcome, "--" + std::string(name) + " has no effect without --validation or --hold-out");
  expect_note(outcome, "--timesteps has no effect on a classifier that knows no timesteps");
  expect_note(outcome, "--lr-final has no effect with --decay constant");
  expect_note(outcome, "--crop-fill has no effect without --crop");
  expect_note(outcome, "--epochs has no effect beside --steps");
  expect_note(outcome, "--weights has no effect without --init");
  EXPECT_FALSE(json::parse(read_file(folder / "o/config.json")).contains("diffusion"));
}

TEST(TrainNotes, SettingsWithoutEffectOnADiffusionModel) {
  const TemporaryFolder folder;
  const Outcome outcome = sextant({"train",       "--model",   bundled("mnist-adm"),
                                   "--data",      digits(),    "--steps",
                                   "1",           "--batch",   "2",
                                   "--lambda",    "3",         "--entropy-weight",
                                   "2",           "--beta",    "0.01",
                                   "--criterion", "ece",       "--timesteps",
                                   "stratified",  "--predict", "v",
                                   "--threads",   "1",         "--out",
                                   folder / "o"});
  for (const char* name : {"lambda", "entropy-weight", "beta", "criterion"})
    expect_note(outcome, "--" + std::string(name) + " has no effect on a diffusion model");
  for (const char* name : {"--timesteps has", "--predict has", "--keep", "--epochs"})
    EXPECT_EQ(outcome.err.find(name), std::string::npos) << outcome.err;
  EXPECT_EQ(json::parse(read_file(folder / "o/config.json"))["diffusion"]["predict"], "v");
}

TEST(TrainNotes, NothingOfSettingsThatHaveAPart) {
  const TemporaryFolder folder;
  const Outcome outcome = sextant(tiny(folder, "o",
                                       {"--steps", "1", "--hold-out", "20", "--keep", "best", "--patience", "2",
                                        "--criterion", "ece", "--lambda", "1"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err.find("note:"), std::string::npos) << outcome.err;
}

TEST(TrainNotes, FirstWeightsOfAnotherNetwork) {
  const TemporaryFolder folder;
  const Outcome outcome = sextant(tiny(folder, "o", {"--init", bundled("mnist-adm")}));
  expect_refusal(outcome, 1, "The networks differ: [config.json] type is \"adm-unet\" there and \"resnet\" here");
  EXPECT_EQ(outcome.err.find("The file fits"), std::string::npos) << outcome.err;
}

Words finetuning(const TemporaryFolder& folder, const std::string& model, const Words& more) {
  Words words = {"finetune", "--model", folder / model, "--data", digits(), "--steps",   "1",
                 "--batch",  "20",      "--threads",    "1",      "--out",  folder / "o"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(FinetuneNotes, WhatIsNotKnownOfAClassifierOrHasNoPart) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(tiny(folder, "model", {"--steps", "1"})).exit_code, 0);
  json config = json::parse(read_file(folder / "model/config.json"));
  config.erase("input");
  config["diffusion"] = {{"predict", "v"}};  // says nothing of a classifier of clean images
  write_atomically(folder / "model/config.json", config.dump());
  const Outcome outcome =
      sextant(finetuning(folder, "model", {"--test", digits(), "--sample-every", "3", "--timesteps", "stratified"}));
  expect_note(outcome, "--sample-every has no effect on a classifier");
  expect_note(outcome, "--timesteps has no effect on a classifier that knows no timesteps");
  expect_note(outcome, "without --validation or --hold-out the last weights are saved, after all steps");
  EXPECT_NE(outcome.err.find("nothing says which input"), std::string::npos) << outcome.err;
}

TEST(Finetune, StartsFromACalibratedClassifierAsItIs) {
  const TemporaryFolder folder;
  fs::copy(bundled("mnist-classifier-overconfident"), folder / "model", fs::copy_options::recursive);
  json config = json::parse(read_file(folder / "model/config.json"));
  config["calibration"] = {{"temperature", 2}, {"images", 500}};
  write_atomically(folder / "model/config.json", config.dump());
  const Outcome outcome = sextant(finetuning(folder, "model", {"--test", digits()}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("its logits are rescaled"), std::string::npos) << outcome.err;
  const auto measured = [&](const std::string& model) {
    const Outcome said = sextant(
        {"calibrate", "--classifier", folder / model, "--data", digits(), "--format", "json", "--threads", "1"});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    return json::parse(said.out)["rows"][0];
  };
  const json record = json::parse(read_file(folder / "o/run.json"));
  const json before = measured("model"), after = measured("o");
  for (const char* name : {"nll", "mean_confidence"}) {
    EXPECT_NEAR(record["before"][name].get<double>(), before[name].get<double>(), 1e-6) << name;
    EXPECT_NEAR(record["after"][name].get<double>(), after[name].get<double>(), 1e-6) << name;
  }
  // How it was fitted says nothing of the new weights.
  EXPECT_EQ(json::parse(read_file(folder / "o/config.json"))["calibration"], (json{{"temperature", 2.0}}));
}

}  // namespace
}  // namespace sextant::cli::testing
