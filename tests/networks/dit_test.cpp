// Diffusion Transformers against facebookresearch/DiT, run by PyTorch on the CPU.
#include "networks/gradient.h"
#include "networks/made.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::networks {
namespace {

using testing::Golden;
using testing::Tolerance;

class DitGolden : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  DitGolden() : golden_(GetParam()), network_(made<NoiseNetwork>("dit", golden_.config())) {
    network_->load(golden_.weights());
  }

  void expect_reference(at::ScalarType type) {
    const std::string prefix = type == at::kDouble ? "output64/" : "output/";
    const Tensor x = golden_["input/x"].to(type);
    const Tensor& t = golden_["input/t"];
    const Tensor& y = golden_["input/y"];
    const auto compare = [&](const std::string& name, const Tensor& actual) {
      if (!golden_.has(prefix + name)) return;
      const Tensor& expected = golden_[prefix + name];
      const Tolerance tolerance =
          type == at::kDouble ? Tolerance{testing::float64_tolerance(expected), 0} : golden_.output_tolerance(name);
      EXPECT_TRUE(testing::tensor_near(actual, expected, tolerance)) << name;
    };
    const Tensor out = network_->forward(x, t, y);
    compare("out", out);
    compare("out_t_low", network_->forward(x, golden_["input/t_low"], y));
    compare("out_cfg", forward_with_cfg(x, t, y));
    const Tensor v = golden_["input/v"].to(type);
    compare("grad_vjp",
            testing::gradient([&](const Tensor& at) { return (network_->forward(at, t, y) * v).sum(); }, x));
  }

  /// The original's rule: the first half of the batch twice, with its own and the other half's classes; only three
  /// channels are mixed.
  Tensor forward_with_cfg(const Tensor& x, const Tensor& t, const Tensor& y) const {
    const double scale = golden_["input/cfg_scale"].item<double>();
    const Tensor half = x.chunk(2)[0];
    const Tensor out = network_->forward(at::cat({half, half}), t, y);
    const auto conditional = out.chunk(2)[0].narrow(1, 0, 3);
    const auto unconditional = out.chunk(2)[1].narrow(1, 0, 3);
    const Tensor mixed = unconditional + scale * (conditional - unconditional);
    return at::cat({at::cat({mixed, mixed}), out.narrow(1, 3, out.size(1) - 3)}, 1);
  }

  Golden golden_;
  std::unique_ptr<NoiseNetwork> network_;
};

TEST_P(DitGolden, PredictsAsTheReferenceDoes) { expect_reference(at::kFloat); }

TEST_P(DitGolden, AgreesWithTheReferenceToRoundingInFloat64) {
  network_->to(testing::test_device(), at::kDouble);
  expect_reference(at::kDouble);
}

TEST_P(DitGolden, ComputesThePositionTableThatTheCheckpointHolds) {
  if (golden_.metadata("fill_exceptions").find("\"pos_embed\": \"keep\"") == std::string::npos) {
    GTEST_SKIP() << "the file holds another table";
  }
  const auto fresh = made<NoiseNetwork>("dit", golden_.config());
  EXPECT_TENSOR_NEAR(fresh->parameters().entries()[0].tensor, golden_["weights/pos_embed"], (Tolerance{1e-7, 0}));
}

TEST_P(DitGolden, GivesFiniteNumbersInBfloat16) {
  network_->to(testing::test_device(), at::kBFloat16);
  const Tensor out = network_->forward(golden_["input/x"], golden_["input/t"], golden_["input/y"]);
  EXPECT_EQ(out.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::isfinite(out).all().item<bool>());
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DitGolden);
INSTANTIATE_TEST_SUITE_P(Networks, DitGolden, ::testing::ValuesIn(testing::golden_files_of_kind("dit")),
                         testing::golden_name);

TEST(DitPresets, HaveTheSizesOfThePaper) {
  // Peebles & Xie 2023, table 4, in millions; the large patches differ in the first and last layer only.
  const std::map<std::string, double> millions = {
      {"DiT-S/2-256", 33.0}, {"DiT-B/2-256", 130.5}, {"DiT-L/2-256", 458.1}, {"DiT-XL/2-256", 675.1}};
  for (const Preset& preset : family("dit").presets()) {
    const auto found = millions.find(preset.name);
    if (found == millions.end()) continue;
    const auto network = made<NoiseNetwork>("dit", preset.config["model"]);
    EXPECT_NEAR(static_cast<double>(network->parameters().count()) / 1e6, found->second, 0.3) << preset.name;
    EXPECT_EQ(network->image_shape(), (std::vector<int64_t>{4, 32, 32}));
    EXPECT_EQ(network->out_channels(), 8);
    EXPECT_EQ(network->num_classes(), 1001);
  }
}

TEST(Dit, SaysWhichShapesItTakes) {
  const auto network =
      made<NoiseNetwork>("dit", {{"input_size", 8}, {"hidden_size", 16}, {"depth", 1}, {"num_heads", 2}});
  EXPECT_EQ(testing::message_of<ShapeError>([&] {
              network->forward(testing::zeros({1, 4, 16, 16}), testing::zeros({1}), testing::zeros({1}).to(at::kLong));
            }),
            "dit: expected latents [B, 4, 8, 8], got [1, 4, 16, 16]");
}

}  // namespace
}  // namespace sextant::networks
