// Vision transformers, ConvNeXt, DenseNet and EfficientNet against torchvision, run by PyTorch on the CPU.
#include "networks/classifier_golden.h"
#include "networks/made.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"

namespace sextant::networks {
namespace {

using nlohmann::json;
using testing::Golden;
using testing::model_of;

const std::map<std::string, std::string> kFamilies = {{"torchvision_vit", "vit"},
                                                      {"torchvision_convnext", "convnext"},
                                                      {"torchvision_densenet", "densenet"},
                                                      {"torchvision_efficientnet", "efficientnet"}};

std::unique_ptr<ClassifierNetwork> classifier(const std::string& kind, const json& model) {
  return made<ClassifierNetwork>(kFamilies.at(kind), model);
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> files;
  for (const auto& [kind, type] : kFamilies) {
    for (const auto& file : testing::golden_files_of_kind(kind)) files.push_back(file);
  }
  for (const char* name : {"efficientnet_small", "efficientnet_v2_small"}) {
    files.push_back(testing::source_dir() / "tests/networks/data" / (std::string(name) + ".safetensors"));
  }
  return files;
}

class TorchvisionGolden : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  TorchvisionGolden() : golden_(GetParam()), network_(classifier(golden_.metadata("kind"), model_of(golden_))) {
    network_->load(golden_.weights(), golden_.name());
  }

  Golden golden_;
  std::unique_ptr<ClassifierNetwork> network_;
};

TEST_P(TorchvisionGolden, MatchesTheReference) { expect_reference(*network_, golden_, at::kFloat); }

TEST_P(TorchvisionGolden, MatchesTheReferenceFrozen) {
  network_->freeze();
  expect_reference(*network_, golden_, at::kFloat);
}

TEST_P(TorchvisionGolden, AgreesWithTheReferenceToRoundingInFloat64) {
  network_->freeze();
  network_->to(testing::test_device(), at::kDouble);
  expect_reference(*network_, golden_, at::kDouble);
}

TEST_P(TorchvisionGolden, ComputesInBfloat16) {
  network_->freeze();
  network_->to(testing::test_device(), at::kBFloat16);
  const Tensor logits = network_->forward(golden_["input/x"]);
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  const Tensor& expected = golden_["output/logits"];
  EXPECT_LT((logits.cpu() - expected).norm().item<double>(), 0.05 * expected.norm().item<double>());
}

INSTANTIATE_TEST_SUITE_P(Files, TorchvisionGolden, ::testing::ValuesIn(files()), testing::golden_name);

// ---- details ---------------------------------------------------------------------------------------------

TEST(TorchvisionPresets, HaveThePublishedParameterCounts) {
  const std::map<std::string, int64_t> published = {
      {"vit_b_16", 86567656},          {"vit_b_32", 88224232},          {"vit_l_16", 304326632},
      {"vit_l_32", 306535400},         {"vit_h_14", 632045800},         {"convnext_tiny", 28589128},
      {"convnext_small", 50223688},    {"convnext_base", 88591464},     {"convnext_large", 197767336},
      {"densenet121", 7978856},        {"densenet161", 28681000},       {"densenet169", 14149480},
      {"densenet201", 20013928},       {"efficientnet_b0", 5288548},    {"efficientnet_b1", 7794184},
      {"efficientnet_b2", 9109994},    {"efficientnet_b3", 12233232},   {"efficientnet_b4", 19341616},
      {"efficientnet_b5", 30389784},   {"efficientnet_b6", 43040704},   {"efficientnet_b7", 66347960},
      {"efficientnet_v2_s", 21458488}, {"efficientnet_v2_m", 54139356}, {"efficientnet_v2_l", 118515272}};
  std::size_t checked = 0;
  for (const auto& table : {family("vit").presets(), family("convnext").presets(), family("densenet").presets(),
                            family("efficientnet").presets()}) {
    for (const Preset& preset : table) {
      const std::string kind = "torchvision_" + preset.config.at("type").get<std::string>();
      EXPECT_EQ(testing::trained_count(*classifier(kind, preset.config.at("model"))), published.at(preset.name))
          << preset.name;
      ++checked;
    }
  }
  EXPECT_EQ(checked, published.size());
}

/// As transforms() of torchvision 0.29's weights have it: IMAGENET1K_V1's, and the filters of their defaults.
TEST(Presets, SeeImagesAsTheirWeightsWereTrainedTo) {
  for (const char* type : {"resnet", "vit", "convnext", "densenet", "efficientnet"}) {
    for (const Preset& preset : family(type).presets()) {
      const bool half = preset.name == "efficientnet_v2_l";
      const nlohmann::json mean = half ? nlohmann::json{0.5, 0.5, 0.5} : nlohmann::json{0.485, 0.456, 0.406};
      const nlohmann::json std = half ? nlohmann::json{0.5, 0.5, 0.5} : nlohmann::json{0.229, 0.224, 0.225};
      EXPECT_EQ(preset.config["input"]["mean"], mean) << preset.name;
      EXPECT_EQ(preset.config["input"]["std"], std) << preset.name;
      const bool bilinear = std::string(type) != "efficientnet" || preset.name == "efficientnet_b1" ||
                            preset.name == "efficientnet_v2_s" || preset.name == "efficientnet_v2_m";
      EXPECT_EQ(preset.config["input"].value("resize", "bilinear"), bilinear ? "bilinear" : "bicubic") << preset.name;
    }
  }
}

/// Weights under the names of older files give the same network.
TEST(PublishedNames, OfOlderFilesAreUnderstood) {
  const std::vector<std::array<std::string, 3>> renamings = {{"torchvision_densenet", ".norm1.", ".norm.1."},
                                                             {"torchvision_densenet", ".conv2.", ".conv.2."},
                                                             {"torchvision_vit", ".mlp.0.", ".mlp.linear_1."}};
  for (const auto& [kind, now, before] : renamings) {
    for (const auto& file : testing::golden_files_of_kind(kind)) {
      const Golden golden(file);
      checkpoint::StateDict old;
      for (const auto& [name, tensor] : golden.weights()) {
        const std::size_t at = name.find(now);
        const bool inside = at != std::string::npos && name.find("layer") != std::string::npos;
        old.set(inside ? std::string(name).replace(at, now.size(), before) : name, tensor);
      }
      const auto network = classifier(kind, model_of(golden));
      network->load(old);
      expect_reference(*network, golden, at::kFloat);
    }
  }
}

TEST(SmoothedActivation, IsRefusedByFamiliesWithoutRelu) {
  EXPECT_THROW(made<ClassifierNetwork>("vit", {{"image_size", 8},
                                               {"patch_size", 4},
                                               {"num_layers", 1},
                                               {"num_heads", 1},
                                               {"hidden_dim", 8},
                                               {"mlp_dim", 8},
                                               {"softplus_beta", 3.0}}),
               CheckpointError);
  EXPECT_NO_THROW(made<ClassifierNetwork>("densenet", {{"softplus_beta", 3.0}}));
}

TEST(Vit, RefusesImagesOfAnotherSize) {
  const auto network = classifier(
      "torchvision_vit",
      {{"image_size", 8}, {"patch_size", 4}, {"num_layers", 1}, {"num_heads", 1}, {"hidden_dim", 8}, {"mlp_dim", 8}});
  EXPECT_EQ(network->image_size(), 8);
  EXPECT_THROW(network->forward(at::zeros({1, 3, 16, 16})), ShapeError);
}

}  // namespace
}  // namespace sextant::networks
