// Feature networks against pytorch-fid and torch-fidelity, run by PyTorch on the CPU.
#include <map>

#include "networks/gradient.h"
#include "networks/made.h"
#include "resize.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/fill.h"
#include "support/golden.h"

namespace sextant::networks {
namespace {

using testing::Golden;
using testing::Tolerance;

// ---- resizing ----------------------------------------------------------------------------------------

class ResizeGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(ResizeGolden, MatchesTensorFlow1AndPytorch) {
  const Golden golden(GetParam());
  const int64_t height = golden.config().at("size")[0], width = golden.config().at("size")[1];
  const auto shown = [](const Tensor& x) { return x.slice(2, 0, {}, 13).slice(3, 0, {}, 13); };
  int compared = 0;
  for (const auto& [key, image] : golden.file().tensors) {
    if (key.rfind("input/", 0) != 0) continue;
    const std::string name = key.substr(6);
    for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
      const std::string prefix = type == at::kDouble ? "output64/" : "output/";
      const Tensor x = image.to(type);
      const auto tolerance = [&](const std::string& output) {
        return type == at::kDouble ? Tolerance{1e-9, 0} : golden.output_tolerance(output);
      };
      EXPECT_TENSOR_NEAR(shown(resize_tensorflow1(x, height, width)), golden[prefix + "tf1_" + name],
                         tolerance("tf1_" + name));
      EXPECT_TENSOR_NEAR(shown(resize_bilinear(x, height, width)), golden[prefix + "torch_" + name],
                         tolerance("torch_" + name));
      ++compared;
    }
  }
  EXPECT_GT(compared, 0);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ResizeGolden);
INSTANTIATE_TEST_SUITE_P(Files, ResizeGolden, ::testing::ValuesIn(testing::golden_files_of_kind("tf_resize")),
                         testing::golden_name);

TEST(TensorFlow1Resize, ReadsPixelsAtMultiplesOfTheScaleWithoutHalfPixelCentres) {
  const Tensor x = at::tensor({0.0, 10.0}).view({1, 1, 1, 2});
  const Tensor expected = at::tensor({0.0, 5.0, 10.0, 10.0}).view({1, 1, 1, 4});
  EXPECT_TENSOR_NEAR(resize_tensorflow1(x, 1, 4), expected, (Tolerance{1e-12, 0}));
}

TEST(PillowResize, GivesThePixelsOfPillow) {
  const Tensor x = at::tensor({217., 163., 130., 69.,  78.,  10.,  19.,  4.,   44.,  208., 166.,
                               233., 128., 155., 248., 186., 161., 139., 143., 239., 71.},
                              at::kFloat)
                       .view({1, 1, 3, 7});
  // Image.fromarray(x, mode="F").resize((width, height), Image.BICUBIC), Pillow 13.
  const Tensor smaller =
      at::tensor({131.1056, 126.1341, 70.8155, 148.7671, 170.7617, 162.8665}, at::kFloat).view({1, 1, 2, 3});
  const Tensor larger =
      at::tensor({230.9155, 191.2441, 149.9308, 112.1011, 63.9328,  72.1131,  32.0675,  1.7074,   12.2770,
                  65.8112,  67.1644,  126.7318, 179.4040, 131.6894, 178.8979, 121.9229, 79.5650,  111.7396,
                  79.7247,  78.2495,  137.2659, 196.4431, 162.7278, 203.5497, 197.4022, 161.0724, 131.0815,
                  263.9334, 217.5501, 174.9291, 152.5365, 137.5896, 130.6141, 211.1863, 195.1314, 58.1771},
                 at::kFloat)
          .view({1, 1, 4, 9});
  EXPECT_TENSOR_NEAR(resize_pillow(x, 2, 3), smaller, (Tolerance{1e-4, 0}));
  EXPECT_TENSOR_NEAR(resize_pillow(x, 4, 9), larger, (Tolerance{1e-4, 0}));
  EXPECT_TRUE(at::equal(resize_pillow(x, 3, 7), x));
}

// ---- MNIST's features -----------------------------------------------------------------------------------

TEST(MnistFeaturesConfig, HasAWidthForEachConvolution) {
  const auto refusal = [](std::vector<int64_t> channels) {
    return testing::message_of<CheckpointError>([&] {
      made<FeatureNetwork>("mnist-features", {{"channels", channels}});
    });
  };
  EXPECT_EQ(refusal({4, 8, 8, 8}), "");
  EXPECT_NE(refusal({4, 8, 8}).find("'channels' has an unusable value"), std::string::npos);
  EXPECT_NE(refusal({4, 8, 8, 8, 8}).find("'channels' has an unusable value"), std::string::npos);
}

// ---- Inception ---------------------------------------------------------------------------------------

/// Our feature for each output of the file; `spatial_conv` is not offered.
const std::map<std::string, std::string> kFeatureOf = {{"pool", "pool"},
                                                       {"feat768", "feat768"},
                                                       {"logits", "logits"},
                                                       {"logits_unbiased", "logits_unbiased"},
                                                       {"spatial_relu", "spatial"}};

class FullInceptionGolden : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  FullInceptionGolden() : golden_(GetParam()) {}

  /// Compares every output of one preprocessing, whose names end in `suffix` and the image size.
  void expect_reference(const std::string& resize, const std::string& suffix, at::ScalarType type, bool freeze) {
    const auto network = made<FeatureNetwork>(
        "inception-fid", {{"resize", resize}, {"num_classes", golden_.config().at("num_classes")}});
    network->load(golden_.weights());
    network->to(testing::test_device(), type);
    if (freeze) network->freeze();
    const std::string prefix = type == at::kDouble ? "output64/" : "output/";
    int compared = 0;
    for (const auto& [key, images] : golden_.file().tensors) {
      if (key.rfind("input/images", 0) != 0) continue;
      auto features = network->forward(images);
      features["softmax_unbiased"] = at::softmax(features.at("logits_unbiased"), 1);
      auto names = kFeatureOf;
      names["softmax_unbiased"] = "softmax_unbiased";
      for (const auto& [output, feature] : names) {
        const std::string name = output + suffix + key.substr(std::string("input/images").size());
        if (!golden_.has(prefix + name)) continue;
        const Tensor& expected = golden_[prefix + name];
        const Tolerance tolerance =
            type == at::kDouble ? Tolerance{testing::float64_tolerance(expected), 0} : golden_.output_tolerance(name);
        EXPECT_TRUE(testing::tensor_near(features.at(feature), expected, tolerance)) << name;
        ++compared;
      }
    }
    EXPECT_GT(compared, 0);
  }

  Golden golden_;
};

TEST_P(FullInceptionGolden, MatchesTorchFidelity) { expect_reference("tensorflow1", "_tf1_", at::kFloat, false); }
TEST_P(FullInceptionGolden, MatchesTorchFidelityWithBatchNormsFolded) {
  expect_reference("tensorflow1", "_tf1_", at::kFloat, true);
}
TEST_P(FullInceptionGolden, MatchesPytorchFid) { expect_reference("pytorch-fid", "_pytorch_fid_", at::kFloat, true); }
TEST_P(FullInceptionGolden, AgreesToRoundingInFloat64) { expect_reference("tensorflow1", "_tf1_", at::kDouble, false); }

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FullInceptionGolden);
INSTANTIATE_TEST_SUITE_P(Files, FullInceptionGolden,
                         ::testing::ValuesIn(testing::golden_files_of_kind("inception_fid")), testing::golden_name);

TEST(Inception, ScalesPillowsPixelsAsCleanFidDoes) {
  // At 299x299 TensorFlow's way resizes nothing.
  const auto open = [](const char* resize) {
    auto network = made<FeatureNetwork>("inception-fid", {{"resize", resize}, {"num_classes", 2}});
    checkpoint::StateDict weights;
    for (const auto& entry : network->parameters().entries()) {
      const bool counter = entry.kind == Parameters::Kind::kCounter;
      weights.set(entry.name, testing::filled(entry.name, entry.shape, {}, counter));
    }
    network->load(weights);
    return network;
  };
  const Tensor images = at::rand({1, 3, 40, 31}).mul(255).floor();
  const Tensor resized = resize_pillow(images, 299, 299).clamp(0, 255);
  ASSERT_GT(resize_pillow(images, 299, 299).max().item<float>(), 255);
  const Tensor expected = open("tensorflow1")->forward(resized).at("pool");
  ASSERT_GT(expected.abs().max().item<float>(), 0);
  EXPECT_TRUE(at::equal(open("clean-fid")->forward(images).at("pool"), expected));
}

TEST(Inception, RefusesGrayImages) {
  const auto network = made<FeatureNetwork>("inception-fid", nlohmann::json::object());
  EXPECT_THROW(network->forward(at::zeros({1, 1, 32, 32})), ShapeError);
}

}  // namespace
}  // namespace sextant::networks
