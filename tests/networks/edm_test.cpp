// The EDM family against NVlabs/edm and NVlabs/edm2, run by PyTorch on the CPU.
#include <cmath>

#include "networks/gradient.h"
#include "networks/made.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::networks {
namespace {

using testing::Golden;
using testing::Tolerance;

/// Compares every output of the file, computed in `type`, with what the reference computed in that type.
void expect_reference(const EdmDenoiser& network, const Golden& golden, at::ScalarType type) {
  const std::string prefix = type == at::kDouble ? "output64/" : "output/";
  const Tensor x = golden["input/x"].to(type);
  const Tensor sigma = golden["input/sigma"].to(type);
  const Tensor labels = golden.has("input/class_labels") ? golden["input/class_labels"].to(type) : Tensor();
  const auto compare = [&](const std::string& name, const std::function<Tensor()>& actual) {
    if (!golden.has(prefix + name)) return;
    const Tensor& expected = golden[prefix + name];
    const Tolerance tolerance =
        type == at::kDouble ? Tolerance{testing::float64_tolerance(expected), 0} : golden.output_tolerance(name);
    EXPECT_TRUE(testing::tensor_near(actual(), expected, tolerance)) << name;
  };
  compare("denoised", [&] { return network.denoise(x, sigma, labels); });
  compare("denoised_nolabel", [&] { return network.denoise(x, sigma); });
  compare("denoised_scalar_sigma", [&] { return network.denoise(x, sigma[0], labels); });
  compare("denoised_small", [&] { return network.denoise(golden["input/x_small"].to(type), sigma, labels); });
  compare("grad_vjp", [&] {
    const Tensor v = golden["input/v"].to(type);
    return testing::gradient([&](const Tensor& at) { return (network.denoise(at, sigma, labels) * v).sum(); }, x);
  });
}

std::unique_ptr<EdmDenoiser> make(const Golden& golden) {
  return golden.metadata("kind") == "edm2" ? made<EdmDenoiser>("edm2", golden.config())
                                           : made<EdmDenoiser>("edm", golden.config());
}

class EdmGolden : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  EdmGolden() : golden_(GetParam()), network_(make(golden_)) { network_->load(golden_.weights()); }

  Golden golden_;
  std::unique_ptr<EdmDenoiser> network_;
};

TEST_P(EdmGolden, DenoisesAsTheReferenceDoes) { expect_reference(*network_, golden_, at::kFloat); }

TEST_P(EdmGolden, AgreesWithTheReferenceToRoundingInFloat64) {
  network_->to(testing::test_device(), at::kDouble);
  expect_reference(*network_, golden_, at::kDouble);
}

TEST_P(EdmGolden, DenoisesTheSameWithFrozenWeights) {
  network_->freeze();
  expect_reference(*network_, golden_, at::kFloat);
}

TEST_P(EdmGolden, KnowsItsSmallestAndLargestNoiseLevel) {
  if (golden_.metadata("sigma_range").empty()) GTEST_SKIP() << "the file names no range";
  const auto range = nlohmann::json::parse(golden_.metadata("sigma_range"));
  EXPECT_NEAR(network_->sigma_min(), range[0].get<double>(), 1e-5 * range[0].get<double>());
  EXPECT_NEAR(network_->sigma_max(), range[1].get<double>(), 1e-5 * range[1].get<double>());
}

TEST_P(EdmGolden, RoundsNoiseLevelsToThoseOfItsTable) {
  if (golden_.metadata("rounding").empty()) GTEST_SKIP() << "this preconditioning knows all noise levels";
  const auto expected = nlohmann::json::parse(golden_.metadata("rounding")).at("u_index").get<std::vector<double>>();
  const Tensor rounded = network_->round_sigma(golden_["input/sigma"]);
  EXPECT_TENSOR_NEAR(rounded, at::tensor(expected, at::kDouble), (Tolerance{0, 1e-5}));
}

TEST_P(EdmGolden, TakesClassIdsForOneHotRows) {
  if (!golden_.has("input/class_labels")) GTEST_SKIP() << "an unconditional network";
  const Tensor& rows = golden_["input/class_labels"];
  if (!at::equal(rows.sum(1).cpu(), at::ones({rows.size(0)}))) GTEST_SKIP() << "the labels are not one-hot";
  const Tensor& x = golden_["input/x"];
  const Tensor& sigma = golden_["input/sigma"];
  EXPECT_TRUE(at::equal(network_->denoise(x, sigma, rows.argmax(1)), network_->denoise(x, sigma, rows)));
}

TEST_P(EdmGolden, GivesFiniteImagesInBfloat16) {
  network_->to(testing::test_device(), at::kBFloat16);
  const Tensor denoised = network_->denoise(golden_["input/x"], golden_["input/sigma"]);
  EXPECT_EQ(denoised.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::isfinite(denoised).all().item<bool>());
}

/// Those of the golden folder, and EDM2's, which are made for this test (data/README.md).
std::vector<std::filesystem::path> edm_files() {
  std::vector<std::filesystem::path> files = testing::golden_files_of_kind("edm");
  for (const char* name : {"edm2_small.safetensors", "edm2_filter.safetensors"}) {
    files.push_back(testing::source_dir() / "tests/networks/data" / name);
  }
  return files;
}

INSTANTIATE_TEST_SUITE_P(Networks, EdmGolden, ::testing::ValuesIn(edm_files()), testing::golden_name);

class EdmPickle : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(EdmPickle, HoldsTheWeightsOfTheNetworkThatMadeItsForwardPass) {
  const Golden golden(GetParam().parent_path() / "edm_forward.safetensors");
  const auto network = made<EdmDenoiser>("edm", golden.config());
  network->load(checkpoint::load(GetParam()).weights(), GetParam().string());
  expect_reference(*network, golden, at::kFloat);
}

std::vector<std::filesystem::path> edm_pickles() {
  std::vector<std::filesystem::path> files;
  for (const char* name : {"edm_protocol3.pkl", "edm_protocol4.pkl"}) {
    const auto path = testing::golden_dir() / "models/checkpoints" / name;
    if (std::filesystem::exists(path)) files.push_back(path);
  }
  return files;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EdmPickle);
INSTANTIATE_TEST_SUITE_P(Networks, EdmPickle, ::testing::ValuesIn(edm_pickles()), testing::golden_name);

TEST(EdmPresets, HaveAsManyNumbersAsThePublishedModels) {
  const std::map<std::string, int64_t> published = {
      {"edm-cifar10-32x32-cond-vp", 55735331},        {"edm-cifar10-32x32-uncond-vp", 55733923},
      {"edm-cifar10-32x32-cond-ve", 56400931},        {"edm-cifar10-32x32-uncond-ve", 56398115},
      {"edm-ffhq-64x64-uncond-vp", 61805619},         {"edm-ffhq-64x64-uncond-ve", 62761459},
      {"edm-afhqv2-64x64-uncond-vp", 61805619},       {"edm-afhqv2-64x64-uncond-ve", 62761459},
      {"baseline-cifar10-32x32-uncond-vp", 55732771}, {"baseline-cifar10-32x32-uncond-ve", 56395811},
      {"edm-imagenet-64x64-cond-adm", 295899315},     {"baseline-imagenet-64x64-cond-adm", 295905503}};
  for (const Preset& preset : family("edm").presets()) {
    EXPECT_EQ(made<EdmDenoiser>("edm", preset.config["model"])->parameters().count(), published.at(preset.name))
        << preset.name;
  }
}

TEST(Edm2Presets, HaveAsManyNumbersAsThePublishedModels) {
  const std::map<std::string, int64_t> published = {
      {"edm2-img512-xxs", 31309413},   {"edm2-img512-xs", 124713765},        {"edm2-img512-s", 280213477},
      {"edm2-img512-m", 497808549},    {"edm2-img512-l", 777498981},         {"edm2-img512-xl", 1119284773},
      {"edm2-img512-xxl", 1523165925}, {"edm2-img512-xs-uncond", 124201765}, {"edm2-img512-s-uncond", 279445477},
      {"edm2-img64-xs", 124711461},    {"edm2-img64-s", 280210021},          {"edm2-img64-m", 497803941},
      {"edm2-img64-l", 777493221},     {"edm2-img64-xl", 1119277861}};
  EXPECT_EQ(family("edm2").presets().size(), published.size());
  for (const Preset& preset : family("edm2").presets()) {
    EXPECT_EQ(made<EdmDenoiser>("edm2", preset.config["model"])->parameters().count(), published.at(preset.name))
        << preset.name;
  }
}

nlohmann::json small_config() {
  return {{"img_resolution", 8}, {"img_channels", 3},   {"label_dim", 4},  {"model_type", "SongUNet"},
          {"model_channels", 8}, {"channel_mult", {1}}, {"num_blocks", 1}, {"precond", "EDMPrecond"}};
}

TEST(Edm, NamesAMisspeltHyperparameterAndTheNearestRightOne) {
  nlohmann::json config = small_config();
  config["num_block"] = 2;
  EXPECT_EQ(testing::message_of([&] { made<EdmDenoiser>("edm", config); }),
            "edm: unknown hyper-parameter 'num_block'. Did you mean 'num_blocks'?");
}

TEST(Edm, RefusesChannelsThatDoNotDivideIntoGroups) {
  nlohmann::json config = small_config();
  config["model_channels"] = 144;
  EXPECT_NE(
      testing::message_of([&] { made<EdmDenoiser>("edm", config); }).find("144 channels do not divide into 32 groups"),
      std::string::npos);
}

TEST(Edm, RefusesMoreLevelsThanImagesCanBeHalved) {
  for (const char* type : {"edm", "edm2"}) {
    // 65 and more are beyond what a shift of 64 bits can say: some processors take them for 1 and more.
    for (const std::size_t levels : {0, 5, 65, 66, 130}) {
      nlohmann::json config = small_config();
      config["channel_mult"] = std::vector<int64_t>(levels, 1);
      EXPECT_EQ(
          testing::message_of<CheckpointError>([&] { made<EdmDenoiser>(type, config); }),
          type + (": channel_mult has " + std::to_string(levels)) + " levels, which do not fit into 8 x 8 pixels");
    }
  }
}

TEST(Edm, RefusesClassIdsOutsideItsRange) {
  const auto network = made<EdmDenoiser>("edm", small_config());
  const Tensor x = at::zeros({2, 3, 8, 8});
  const std::string error = testing::message_of([&] {
    network->denoise(x, at::ones({2}), at::tensor({1, 4}, at::kLong));
  });
  EXPECT_EQ(error, "EdmDenoiser::denoise: class ids must lie in [0, 4)");
}

TEST(Edm, RefusesNoiseLevelsThatAreNone) {
  const auto network = made<EdmDenoiser>("edm", small_config());
  for (const double sigma : {-1.0, 0.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THROW(network->denoise(at::zeros({2, 3, 8, 8}), at::full({1}, sigma)), ShapeError) << sigma;
  }
}

TEST(Edm, RefusesImagesOfAnotherSize) {
  const auto network = made<EdmDenoiser>("edm", small_config());
  const std::string error = testing::message_of([&] { network->denoise(at::zeros({2, 3, 9, 8}), at::ones({2})); });
  EXPECT_EQ(error, "EdmDenoiser::denoise: expected images [B, 3, 8, 8], got [2, 3, 9, 8]");
}

}  // namespace
}  // namespace sextant::networks
