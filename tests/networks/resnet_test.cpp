// ResNets against torchvision and akamaster/pytorch_resnet_cifar10, run by PyTorch on the CPU.
#include "networks/classifier_golden.h"
#include "networks/made.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::networks {
namespace {

using nlohmann::json;
using testing::Golden;
using testing::model_of;

json preset(const std::string& name) {
  for (const Preset& preset : family("resnet").presets()) {
    if (preset.name == name) return preset.config;
  }
  throw UsageError("no preset " + name);
}

std::unique_ptr<ClassifierNetwork> network_of(const Golden& golden) {
  const std::string kind = golden.metadata("kind");
  json model = model_of(golden);
  if (kind == "cifar_resnet") return made<ClassifierNetwork>("cifar-resnet", model);
  if (kind == "torchvision_resnet_named") {
    json named = preset(model.at("model")).at("model");
    named["softplus_beta"] = model.value("softplus_beta", 0.0);
    return made<ClassifierNetwork>("resnet", named);
  }
  return made<ClassifierNetwork>("resnet", model);
}

class ResNetGolden : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  ResNetGolden() : golden_(GetParam()), network_(network_of(golden_)) {
    network_->load(golden_.weights(), golden_.name());
  }

  Golden golden_;
  std::unique_ptr<ClassifierNetwork> network_;
};

TEST_P(ResNetGolden, MatchesTheReference) { expect_reference(*network_, golden_, at::kFloat); }

TEST_P(ResNetGolden, MatchesTheReferenceWithBatchNormsFolded) {
  network_->freeze();
  expect_reference(*network_, golden_, at::kFloat);
}

TEST_P(ResNetGolden, AgreesWithTheReferenceToRoundingInFloat64) {
  network_->to(testing::test_device(), at::kDouble);
  expect_reference(*network_, golden_, at::kDouble);
}

TEST_P(ResNetGolden, StaysFrozenThroughConversion) {
  network_->freeze();
  network_->to(testing::test_device(), at::kDouble);
  expect_reference(*network_, golden_, at::kDouble);
}

TEST_P(ResNetGolden, ComputesInBfloat16) {
  network_->freeze();
  network_->to(testing::test_device(), at::kBFloat16);
  const Tensor logits = network_->forward(golden_["input/x"]);
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  const Tensor& expected = golden_["output/logits"];
  EXPECT_LT((logits.cpu() - expected).norm().item<double>(), 0.05 * expected.norm().item<double>());
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ResNetGolden);
INSTANTIATE_TEST_SUITE_P(Torchvision, ResNetGolden,
                         ::testing::ValuesIn(testing::golden_files_of_kind("torchvision_resnet")),
                         testing::golden_name);
INSTANTIATE_TEST_SUITE_P(Dilated, ResNetGolden,
                         ::testing::Values(testing::source_dir() /
                                           "tests/networks/data/resnet_dilated_softplus3.safetensors"),
                         testing::golden_name);
INSTANTIATE_TEST_SUITE_P(Cifar, ResNetGolden, ::testing::ValuesIn(testing::golden_files_of_kind("cifar_resnet")),
                         testing::golden_name);

class FullResNetGolden : public ResNetGolden {};

TEST_P(FullResNetGolden, MatchesTheReferenceFoldedOrNot) {
  expect_reference(*network_, golden_, at::kFloat);
  network_->freeze();
  expect_reference(*network_, golden_, at::kFloat);
}

TEST_P(FullResNetGolden, AgreesWithTheReferenceToRoundingInFloat64) {
  network_->to(testing::test_device(), at::kDouble);
  expect_reference(*network_, golden_, at::kDouble);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FullResNetGolden);
INSTANTIATE_TEST_SUITE_P(Torchvision, FullResNetGolden,
                         ::testing::ValuesIn(testing::golden_files_of_kind("torchvision_resnet_named")),
                         testing::golden_name);

// ---- sizes, without weights --------------------------------------------------------------------------

TEST(ResNetPresets, HaveTorchvisionsParameterCounts) {
  // Parameters as torchvision's documentation states them, plus mean and variance of every batch norm channel.
  const std::vector<std::pair<std::string, int64_t>> published = {
      {"resnet18", 11689512},         {"resnet34", 21797672},         {"resnet50", 25557032},
      {"resnet101", 44549160},        {"resnet152", 60192808},        {"resnext50_32x4d", 25028904},
      {"resnext101_32x8d", 88791336}, {"resnext101_64x4d", 83455272}, {"wide_resnet50_2", 68883240},
      {"wide_resnet101_2", 126886696}};
  ASSERT_EQ(published.size(), family("resnet").presets().size());
  for (const auto& [name, count] : published) {
    const auto network = made<ClassifierNetwork>("resnet", preset(name).at("model"));
    EXPECT_EQ(testing::trained_count(*network), count) << name;
  }
}

TEST(CifarResNetPresets, HaveTheDepthOfTheirName) {
  for (const Preset& preset : family("cifar-resnet").presets()) {
    const auto network = made<ClassifierNetwork>("cifar-resnet", preset.config.at("model"));
    int64_t layers = 0;
    for (const auto& entry : network->parameters().entries()) layers += entry.shape.size() >= 2;
    EXPECT_EQ("cifar-resnet" + std::to_string(layers), preset.name);
  }
}

// ---- configs -------------------------------------------------------------------------------------------

std::string refusal(const json& model) {
  return testing::message_of<CheckpointError>([&] { made<ClassifierNetwork>("resnet", model); });
}

TEST(ResNetConfigs, NameTheKeyThatIsWrong) {
  const json good = {{"block", "BasicBlock"}, {"layers", {1, 1, 1, 1}}};
  EXPECT_EQ(refusal(good), "");
  json bad = good;
  bad["widht"] = 32;
  EXPECT_EQ(refusal(bad), "resnet: unknown hyper-parameter 'widht'. Did you mean 'width'?");
  bad = good;
  bad["layers"] = "four";
  EXPECT_EQ(refusal(bad), "resnet: hyper-parameter 'layers' has an unusable value \"four\"");
  bad = good;
  bad.erase("block");
  EXPECT_EQ(refusal(bad), "resnet: hyper-parameter 'block' is missing.");
  bad = good;
  bad["groups"] = 32;
  EXPECT_EQ(refusal(bad), "resnet: BasicBlock has groups 1 and width_per_group 64 only");
}

TEST(ResNet, RefusesImagesOfOtherChannels) {
  const auto network =
      made<ClassifierNetwork>("resnet", {{"block", "BasicBlock"}, {"layers", {1}}, {"in_channels", 1}});
  EXPECT_THROW(network->forward(at::zeros({1, 3, 8, 8})), ShapeError);
}

}  // namespace
}  // namespace sextant::networks
