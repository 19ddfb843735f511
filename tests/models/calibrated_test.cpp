// Classifiers with rescaled logits in model folders.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <fstream>

#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::models {
namespace {

using classifiers::Rescaling;
using classifiers::Resize;
using nlohmann::json;
using testing::message_of;
using testing::TemporaryFolder;
using testing::Tolerance;

const std::filesystem::path kBundled = testing::source_dir() / "models/mnist-classifier-overconfident";

const Rescaling kTemperature = {2.5, {}, {}};

Rescaling some_scaling(int64_t classes, double first) {
  Rescaling rescaling;
  for (int64_t k = 0; k < classes; ++k) {
    rescaling.scale.push_back(first + 0.25 * static_cast<double>(k));
    rescaling.shift.push_back(1 - first * static_cast<double>(k));
  }
  return rescaling;
}

Tensor digits() {
  return checkpoint::load_npz(testing::source_dir() / "tests/models/data/mnist_test_200.npz")
                 .at("arr_0")
                 .slice(0, 0, 6)
                 .unsqueeze(1)
                 .to(at::kFloat) /
             127.5 -
         1;
}

/// A copy of the bundled classifier whose config.json was changed by `edit`.
template <class Edit>
std::filesystem::path edited(const TemporaryFolder& folder, Edit edit) {
  const std::filesystem::path copy = folder / "copy";
  std::filesystem::create_directories(copy);
  std::filesystem::copy_file(kBundled / "model.safetensors", copy / "model.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  json config = json::parse(read_file(kBundled / "config.json"));
  edit(config);
  std::ofstream(copy / "config.json") << config;
  return copy;
}

TEST(CalibratedClassifier, IsOpenedFromItsFolder) {
  const TemporaryFolder folder;
  const Tensor x = digits();
  const Tensor plain = open_classifier({.path = kBundled}, {}).logits(x, {});
  const auto copy = edited(folder, [](json& c) { c["calibration"] = {{"temperature", 4}}; });
  const guidance::Classifier calibrated = open_classifier({.path = copy}, {});
  EXPECT_TENSOR_NEAR(calibrated.logits(x, {}), plain / 4, (Tolerance{1e-6, 1e-6}));
  EXPECT_EQ(calibrated.classes, 10);
  EXPECT_FALSE(calibrated.uses_time);

  const Tensor input = x.clone().set_requires_grad(true);
  const at::AutoGradMode on(true);
  const Tensor gradient = torch::autograd::grad({calibrated.logits(input, {}).sum()}, {input})[0];
  const Tensor expected =
      torch::autograd::grad({open_classifier({.path = kBundled}, {}).logits(input, {}).sum() / 4}, {input})[0];
  EXPECT_TENSOR_NEAR(gradient, expected, (Tolerance{1e-6, 1e-5}));
}

TEST(CalibratedClassifier, DoesNotOpenWithNumbersForOtherClasses) {
  const TemporaryFolder folder;
  const auto copy = edited(folder, [](json& c) { c["calibration"] = classifiers::to_json(some_scaling(9, 1)); });
  const std::string message = message_of<CheckpointError>([&] { open_classifier({.path = copy}, {}); });
  EXPECT_NE(message.find("a scale and a shift of 10 finite numbers"), std::string::npos) << message;
}

TEST(CalibratedClassifier, IsSavedWithWhatItWasOpenedWith) {
  const TemporaryFolder folder;
  const Tensor x = digits();
  const ClassifierConfig config = {
      .path = kBundled, .input = ClassifierInput::kHalf, .size = 20, .resize = Resize::kArea, .softplus_beta = 3};
  const Tensor plain = open_classifier(config, {}).logits(x, {});
  const Rescaling rescaling = some_scaling(10, 0.5);
  save_calibrated(folder / "saved", config, 10, rescaling, {{"images", 7}});
  EXPECT_TENSOR_NEAR(open_classifier({.path = folder / "saved"}, {}).logits(x, {}), rescaling(plain),
                     (Tolerance{1e-5, 1e-5}));
  const json saved = json::parse(read_file(folder / "saved/config.json"));
  EXPECT_EQ(saved["calibration"]["images"], 7);
  EXPECT_FALSE(saved.contains("measured"));
  EXPECT_EQ(saved["type"], "resnet");
}

TEST(CalibratedClassifier, IsCalibratedOnceMore) {
  const TemporaryFolder folder;
  const Tensor x = digits();
  const Tensor plain = open_classifier({.path = kBundled}, {}).logits(x, {});
  save_calibrated(folder / "a", {.path = kBundled}, 10, kTemperature, json::object());
  save_calibrated(folder / "b", {.path = folder / "a"}, 10, {2, {}, {}}, json::object());
  EXPECT_TENSOR_NEAR(open_classifier({.path = folder / "b"}, {}).logits(x, {}), plain / 5, (Tolerance{1e-5, 1e-5}));
  EXPECT_EQ(json::parse(read_file(folder / "b/config.json"))["calibration"]["temperature"], 5.0);
}

TEST(CalibratedClassifier, KeepsItsTorchScriptProgram) {
  const TemporaryFolder folder;
  const std::filesystem::path program = testing::source_dir() / "tests/models/data/classifier_scripted.ts";
  auto generator = at::detail::createCPUGenerator(1);
  const Tensor x = at::rand({2, 3, 12, 12}, generator) * 2 - 1;
  const ClassifierConfig config = {.path = program, .arch = "torchscript", .softplus_beta = 3};
  const Tensor plain = open_classifier(config, {}, {3, 12}).logits(x, {});
  save_calibrated(folder / "saved", config, 5, kTemperature, json::object());
  EXPECT_TENSOR_NEAR(open_classifier({.path = folder / "saved"}, {}, {3, 12}).logits(x, {}), plain / 2.5,
                     (Tolerance{1e-6, 1e-6}));
  EXPECT_EQ(read_file(folder / "saved/classifier_scripted.ts"), read_file(program));
}

TEST(CalibratedClassifier, IsOneClassifier) {
  const TemporaryFolder folder;
  const std::string two = kBundled.string() + "," + kBundled.string();
  const std::string message =
      message_of<UsageError>([&] { save_calibrated(folder / "saved", {.path = two}, 10, kTemperature, {}); });
  EXPECT_NE(message.find("is several"), std::string::npos) << message;
}

TEST(CalibratedClassifier, IsNotSavedOverItself) {
  const TemporaryFolder folder;
  const auto copy = edited(folder, [](json&) {});
  const std::string before = read_file(copy / "config.json");
  const std::string message =
      message_of<UsageError>([&] { save_calibrated(copy, {.path = copy}, 10, kTemperature, json::object()); });
  EXPECT_NE(message.find("is the folder of the classifier itself"), std::string::npos) << message;
  EXPECT_EQ(read_file(copy / "config.json"), before);
}

}  // namespace
}  // namespace sextant::models
