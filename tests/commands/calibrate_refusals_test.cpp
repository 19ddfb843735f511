// What `sextant calibrate` refuses, and what it says.
#include <fstream>

#include "commands/calibrate_fixture.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {
namespace {

TEST_F(Calibrate, RefusesALabelThatIsNoClassOfTheClassifier) {
  Tensor labels = labels_.clone();
  labels[3] = 10;
  write(bytes_, labels);
  expect_refusal(config_, "2", "digits.npz image 3: its label 10 is no class of classifier ");
  labels[3] = -1;
  write(bytes_, labels);
  expect_refusal(config_, "1", "negative labels");
}

TEST_F(Calibrate, RefusesADataSetOfOtherClasses) {
  config_.data = class_folders(3);
  const char* const animals[] = {"cat", "dog", "owl"};  // no numbers: they mean no class of their own
  for (int i = 0; i < 3; ++i)
    std::filesystem::rename(config_.data + "/" + std::to_string(i), config_.data + "/" + animals[i]);
  expect_refusal(config_, "2", "has 10 classes but " + config_.data + " has 3");
}

TEST_F(Calibrate, RefusesImagesWithoutLabels) {
  checkpoint::save_npz(folder_ / "digits.npz", {{"arr_0", bytes_}});
  expect_refusal(config_, "1", "digits.npz: has no labels");
}

TEST_F(Calibrate, NamesAnEmptyClassAndAnUnreadableImage) {
  config_.data = class_folders(10);
  std::ofstream(folder_ / "classes/4/0.png") << "no picture";
  expect_refusal(config_, "1", "classes/4/0.png: ");
  // Names that say no number are classes in their order, which an empty folder would shift.
  for (int i = 0; i < 10; ++i)
    std::filesystem::rename(config_.data + "/" + std::to_string(i), config_.data + "/" + std::string(3, 'p' + i % 10));
  std::filesystem::remove_all(config_.data + "/ttt");
  std::filesystem::create_directories(config_.data + "/ttt");
  expect_refusal(config_, "1", "classes/ttt: is the folder of a class but holds no");
}

TEST_F(Calibrate, RefusesAnswersThatAreNotFinite) {
  const std::filesystem::path broken = folder_ / "broken";
  std::filesystem::create_directories(broken);
  std::filesystem::copy_file(config_.classifier.path + "/config.json", broken / "config.json");
  checkpoint::StateDict weights = checkpoint::load(config_.classifier.path + "/model.safetensors").weights();
  weights.set("fc.bias", at::full({10}, NAN));
  checkpoint::save_safetensors(broken / "model.safetensors", weights);
  config_.classifier.path = broken;
  expect_refusal(config_, "1", "answers clean images with logits that are not finite, among images 0 to 99 of");
}

TEST_F(Calibrate, RefusesLevelsThatDoNotExist) {
  config_.levels = "0.1,,2";
  expect_refusal(config_, "2", "--levels '0.1,,2': '' is no number");
  config_.levels = "-1";
  expect_refusal(config_, "2", "--levels: -1 is no standard deviation");
  config_.model.path = bundled("mnist-adm");
  for (const char* level : {"1000", "-1", "2.5"}) {
    config_.levels = level;
    expect_refusal(config_, "2", std::string("--levels: ") + level + " is no timestep of ");
  }
  config_.levels = "nan";
  expect_refusal(config_, "2", "'nan' is no number");
}

TEST_F(Calibrate, RefusesWhatDoesNotFitTogether) {
  using commands::FitMethod;
  using commands::LevelInputs;
  using commands::Shown;
  const auto expect = [&](auto change, const std::string& code, const std::string& part) {
    CalibrateConfig config = config_;
    change(config);
    expect_refusal(config, code, part);
  };
  expect([](auto& c) { c.classifier.path = ""; }, "2", "--classifier is needed");
  expect([](auto& c) { c.data = ""; }, "2", "--data is needed");
  expect([](auto& c) { c.data = "/nowhere"; }, "1", "/nowhere: does not exist");
  expect([](auto& c) { c.classifier.path = bundled("mnist-adm"); }, "1", "is no classifier");
  expect([](auto& c) { c.count = 201; }, "2", "--count 201");
  expect([](auto& c) { c.save = "x"; }, "2", "--save needs a --fit");
  expect([](auto& c) { c.fit_split = data::Split::kTrain; }, "2", "need a --fit");
  expect([](auto& c) { c.inputs = LevelInputs::kX0; }, "2", "--inputs needs --levels or a --model");
  expect([](auto& c) { c.inputs = LevelInputs::kX0, c.levels = "1"; }, "2", "--inputs x0 needs a --model");
  expect([](auto& c) { c.inputs = LevelInputs::kBoth, c.levels = "1"; }, "2", "--inputs x0 needs a --model");
  expect([](auto& c) { c.fit = FitMethod::kTemperature, c.fit_on = Shown::kXt; }, "2", "--fit-on xt needs --levels");
  expect([](auto& c) { c.fit = FitMethod::kTemperature, c.fit_on = Shown::kX0, c.levels = "1"; }, "2",
         "--fit-on x0 needs a --model");
  expect([](auto& c) { c.fit = FitMethod::kTemperature, c.softplus_sweep = "0,3"; }, "2", "--fit repairs one network");
  expect([](auto& c) { c.classifier.softplus_beta = 1, c.softplus_sweep = "0,3"; }, "2", "contradict each other");
  expect([](auto& c) { c.softplus_sweep = "-3"; }, "2", "every beta must be a number from 0 to 1000, got -3");
  expect([](auto& c) { c.fit = FitMethod::kTemperature, c.fit_data = c.data; }, "2", "is what is measured");
  expect([](auto& c) { c.fit = FitMethod::kTemperature, c.count = 1; }, "2", "leaves none to measure on");
  expect([](auto& c) { c.classifier.path = bundled("mnist-noisy-classifier"), c.classifier.softplus_beta = 3; }, "2",
         "no ReLU");
  expect([&](auto& c) { c.fit = FitMethod::kTemperature, c.save = bundled("mnist-classifier-overconfident"); }, "2",
         "is the folder of the classifier itself");
}

TEST_F(Calibrate, RefusesImagesOfAnotherKind) {
  write(bytes_.slice(1, 0, 27), labels_);
  config_.model.path = bundled("mnist-adm");
  expect_refusal(config_, "2", "draws [1, 28, 28] (channels, height, width), the images of ");
}

}  // namespace
}  // namespace sextant::testing
