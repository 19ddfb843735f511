// TorchScript archives as classifiers, denoisers and features, against what the networks give in Python.
#include "models/toy.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::models {
namespace {

using nlohmann::json;
using sextant::testing::message_of;
using sextant::testing::TemporaryFolder;
using sextant::testing::Tolerance;

std::filesystem::path data(const std::string& name) { return testing::source_dir() / "tests/models/data" / name; }

const checkpoint::StateDict& expected() {
  static const checkpoint::StateDict file = checkpoint::load(data("torchscript.safetensors")).weights();
  return file;
}

const Tolerance kRounding{2e-6, 2e-5};

class ScriptedClassifier : public ::testing::TestWithParam<const char*> {
 protected:
  /// An archive as a classifier of images as they are, 12 x 12.
  guidance::Classifier open(double softplus_beta = 0, at::ScalarType precision = at::kFloat) const {
    return open_classifier({.path = data(GetParam()), .arch = "torchscript", .softplus_beta = softplus_beta},
                           {at::kCPU, precision}, {3, 12});
  }
};

TEST_P(ScriptedClassifier, ComputesWhatPythonDoes) {
  const guidance::Classifier classifier = open();
  EXPECT_EQ(classifier.classes, 5);
  EXPECT_FALSE(classifier.uses_time);
  for (int run = 0; run < 3; ++run) {  // the same at every run: no profiling, no recompiling
    EXPECT_TENSOR_NEAR(classifier.logits(expected().at("x"), {}), expected().at("logits"), kRounding);
    EXPECT_TENSOR_NEAR(log_prob_gradient(classifier, expected().at("x"), expected().at("y")), expected().at("gradient"),
                       kRounding);
  }
}

TEST(FrozenScript, WithoutItsWordIsSaidToBeAProgram) {
  const std::string message = message_of<CheckpointError>([] { describe(data("classifier_frozen.ts")); });
  EXPECT_NE(message.find("classifier_frozen.ts: holds no tensors beside its TorchScript program"), std::string::npos)
      << message;
  EXPECT_NE(message.find("name the architecture torchscript"), std::string::npos) << message;
}

TEST_P(ScriptedClassifier, HasSoftplusInPlaceOfEveryRelu) {
  for (const int beta : {3, 5}) {
    const guidance::Classifier classifier = open(beta);
    EXPECT_TENSOR_NEAR(classifier.logits(expected().at("x"), {}), expected().at(c10::str("logits_softplus", beta)),
                       kRounding);
    EXPECT_TENSOR_NEAR(log_prob_gradient(classifier, expected().at("x"), expected().at("y")),
                       expected().at(c10::str("gradient_softplus", beta)), kRounding);
  }
}

TEST_P(ScriptedClassifier, ComputesInOtherPrecisions) {
  const Tensor rounded = open(0, at::kBFloat16).logits(expected().at("x"), {});
  EXPECT_EQ(rounded.scalar_type(), at::kFloat);
  EXPECT_TENSOR_NEAR(rounded, expected().at("logits"), (Tolerance{0.02, 0.02}));
  // Rounded even where the processor computes in float32; what an archive froze stays as it is.
  const bool frozen = std::string(GetParam()) == "classifier_frozen.ts";
  EXPECT_EQ(at::equal(rounded, open().logits(expected().at("x"), {})), frozen);
}

INSTANTIATE_TEST_SUITE_P(Archives, ScriptedClassifier,
                         ::testing::Values("classifier_scripted.ts", "classifier_traced.ts", "classifier_frozen.ts"),
                         [](const auto& info) {
                           const std::string name = info.param;
                           return name.substr(11, name.find('.') - 11);
                         });

TEST(TorchScript, IsNeverRunByAGuess) {
  const std::string message =
      testing::message_of<CheckpointError>([] { open_classifier({.path = data("classifier_scripted.ts")}, {}); });
  EXPECT_NE(message.find("its tensors fit no known architecture; to run the TorchScript program in it, which is code, "
                         "name the architecture torchscript"),
            std::string::npos)
      << message;
}

TEST(TorchScript, SaysWhatIsWrongWithAFile) {
  const TemporaryFolder folder;
  std::ofstream(folder / "no.ts") << "nothing of the kind";
  EXPECT_NE(testing::message_of<CheckpointError>([&] {
              open_classifier({.path = folder / "no.ts", .arch = "torchscript"}, {});
            }).find("no.ts: cannot be opened as TorchScript: "),
            std::string::npos);
  const ClassifierConfig smooth = {.path = data("no_relu.ts"), .arch = "torchscript", .softplus_beta = 3};
  EXPECT_NE(testing::message_of<UsageError>([&] {
              open_classifier(smooth, {});
            }).find("no_relu.ts: the program has no ReLU to smooth"),
            std::string::npos);
  const std::string message = testing::message_of<CheckpointError>([&] {
    open_classifier({.path = data("no_relu.ts"), .arch = "torchscript"}, {}, {1, 28});
  });
  EXPECT_NE(message.find("no_relu.ts: tried with one image [1, 1, 28, 28]: "), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_NE(testing::message_of<CheckpointError>([] {
              build({{"type", "torchscript"}});
            }).find("cannot be built without it"),
            std::string::npos);
}

/// A folder with one of the archives.
void write_folder(const std::filesystem::path& folder, const std::string& file, const json& model, json config = {}) {
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(data(file), folder / file);
  config["type"] = "torchscript";
  config["weights"] = file;
  config["model"] = model;
  std::ofstream(folder / "config.json") << config;
}

TEST(TorchScript, PredictsNoise) {
  const TemporaryFolder folder;
  write_folder(folder / "model", "noise.ts", {{"predicts", "noise"}, {"image_size", 8}, {"classes", 4}},
               {{"diffusion", {{"noise_schedule", "cosine"}, {"learn_sigma", true}}}, {"null_label", 3}});
  const DiffusionModel model = open_diffusion(folder / "model", "", {});
  ASSERT_EQ(model.counts(), diffusion::Counts::kTimesteps);
  EXPECT_EQ(model.sample_shape, (std::vector<int64_t>{3, 8, 8}));
  EXPECT_EQ(model.classes, 3);
  EXPECT_EQ(model.process().schedule, diffusion::BetaSchedule::kCosine);
  const Tensor out = model.function(expected().at("image"), expected().at("t"), expected().at("labels"));
  EXPECT_TENSOR_NEAR(out, expected().at("noise"), kRounding);
}

TEST(TorchScript, DenoisesByNoiseLevel) {
  const TemporaryFolder folder;
  write_folder(folder / "model", "denoised.ts", {{"predicts", "denoised"}, {"image_size", 8}, {"sigma_max", 50}});
  const DiffusionModel model = open_diffusion(folder / "model", "", {});
  ASSERT_EQ(model.counts(), diffusion::Counts::kNoiseLevels);
  EXPECT_EQ(model.denoiser().range().max, 50);
  EXPECT_TENSOR_NEAR(model.function(expected().at("image"), expected().at("sigma"), {}), expected().at("denoised"),
                     kRounding);
}

TEST(TorchScript, MustFitWhatItsConfigSays) {
  const TemporaryFolder folder;
  write_folder(folder / "a", "noise.ts", {{"predicts", "noise"}, {"image_size", 8}, {"classes", 4}});
  const std::string message = testing::message_of<CheckpointError>([&] { open_diffusion(folder / "a", "", {}); });
  EXPECT_NE(message.find("a network of 3 channels that predicts 6 does not fit a process with fixed variance"),
            std::string::npos)
      << message;
  write_folder(folder / "b", "classifier_scripted.ts", {{"classes", 7}, {"image_size", 12}});
  EXPECT_NE(testing::message_of<CheckpointError>([&] {
              open_classifier({.path = folder / "b"}, {});
            }).find("it has 5 classes but config.json says 7"),
            std::string::npos);
  write_folder(folder / "c", "classifier_scripted.ts", {{"predicts", "logit"}});
  EXPECT_NE(testing::message_of<CheckpointError>([&] {
              open_classifier({.path = folder / "c"}, {});
            }).find("Did you mean 'logits'?"),
            std::string::npos);
  EXPECT_NE(testing::message_of<CheckpointError>([&] { open_diffusion(folder / "b", "", {}); }).size(), 0u);
}

TEST(TorchScript, GivesFeatures) {
  const TemporaryFolder folder;
  write_folder(folder / "model", "classifier_scripted.ts", {{"image_size", 12}});
  const Tensor images = at::randint(0, 256, {2, 3, 12, 12}, at::kByte);
  const auto features = open_features(folder / "model", "", {}, "output");
  const Tensor expected = open_classifier({.path = folder / "model"}, {}).logits(images.to(at::kFloat) / 127.5 - 1, {});
  EXPECT_TENSOR_NEAR(features->forward(images).at("pool"), expected, kRounding);
}

}  // namespace
}  // namespace sextant::models
