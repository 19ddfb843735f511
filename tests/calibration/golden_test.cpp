#include "support/golden.h"

#include <regex>

#include "sextant/calibration/calibration.h"

namespace sextant::calibration {
namespace {

using namespace sextant::testing;
using Path = std::filesystem::path;

std::vector<Path> files_with(const std::string& key) {
  std::vector<Path> files;
  for (const Path& path : golden_files("math/calibration")) {
    if (Golden(path).has(key)) files.push_back(path);
  }
  return files;
}

/// "exact" allows the rounding of a few float64 operations.
Tolerance tolerance_of(const Golden& golden) {
  const Tolerance stated = golden.tolerance();
  return {std::max(stated.atol, 1e-15), std::max(stated.rtol, 1e-14)};
}

Tensor scalar(double value) { return at::tensor({value}, at::kDouble); }

void expect_bins(const Bins& bins, const Golden& golden, const std::string& prefix) {
  const Tolerance tolerance = tolerance_of(golden);
  EXPECT_TENSOR_NEAR(bins.count, golden[prefix + "count"], Tolerance{});
  EXPECT_TENSOR_NEAR(bins.accuracy, golden[prefix + "accuracy"], tolerance);
  EXPECT_TENSOR_NEAR(bins.confidence, golden[prefix + "confidence"], tolerance);
  EXPECT_TENSOR_NEAR(scalar(bins.ece), golden[prefix + "ece"], tolerance);
  EXPECT_TENSOR_NEAR(scalar(bins.mce), golden[prefix + "mce"], tolerance);
}

class LogitsGolden : public ::testing::TestWithParam<Path> {};

TEST_P(LogitsGolden, ReliabilityDiagramsMatchTheDefinition) {
  const Golden golden(GetParam());
  const Predictions p = predict(golden["input/logits"], golden["input/labels"]);
  for (const std::string& name : golden.file().tensors.names()) {
    std::smatch match;
    if (!std::regex_match(name, match, std::regex("output/bins([0-9]+)/count"))) continue;
    SCOPED_TRACE(name);
    expect_bins(equal_width_bins(p.confidence, p.correct, std::stoll(match[1])), golden,
                "output/bins" + match.str(1) + "/");
  }
}

TEST_P(LogitsGolden, MeasuresMatchTheDefinition) {
  const Golden golden(GetParam());
  const Tensor f = golden["input/logits"];
  const Tensor y = golden["input/labels"];
  const Predictions p = predict(f, y);
  const Tolerance tolerance = tolerance_of(golden);
  const auto expect = [&](const std::string& key, const Tensor& actual) {
    if (!golden.has(key)) return;
    EXPECT_TENSOR_NEAR(actual, golden[key], tolerance) << key;
  };
  expect("output/confidence", p.confidence);
  expect("output/prediction", p.prediction);
  expect("output/accuracy", scalar(accuracy(f, y)));
  expect("output/nll", scalar(negative_log_likelihood(f, y)));
  expect("output/brier", scalar(brier_score(f, y)));
}

TEST_P(LogitsGolden, LossesAndGradientsMatchAutograd) {
  const Golden golden(GetParam());
  const Tensor f = golden["input/logits"];
  const Tensor y = golden["input/labels"];
  const Tolerance tolerance = tolerance_of(golden);
  const auto expect = [&](const std::string& key, const Loss& loss) {
    EXPECT_TENSOR_NEAR(loss.value.view({1}), golden[key + "loss"], tolerance) << key;
    if (!golden.has(key + "grad")) return;
    EXPECT_TENSOR_NEAR(loss.gradient, golden[key + "grad"], tolerance) << key;
  };
  for (int i = 0; golden.has("output/smooth_ece_" + std::to_string(i) + "/loss"); ++i) {
    const auto beta = golden.config().at("beta_" + std::to_string(i)).get<double>();
    expect("output/smooth_ece_" + std::to_string(i) + "/", smooth_ece(f, y, beta));
  }
  for (int i = 0; golden.has("output/combined_" + std::to_string(i) + "/loss"); ++i) {
    const auto lambda = golden.config().at("lambda_" + std::to_string(i)).get<double>();
    expect("output/combined_" + std::to_string(i) + "/", cross_entropy_with_smooth_ece(f, y, lambda));
  }
  if (golden.has("output/grad_first_index")) {
    const Loss loss = smooth_ece(f, y, golden.config().at("beta").get<double>());
    EXPECT_TENSOR_NEAR(loss.value.view({1}), golden["output/loss"], tolerance);
    EXPECT_TENSOR_NEAR(loss.gradient, golden["output/grad_first_index"], tolerance);
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LogitsGolden);
INSTANTIATE_TEST_SUITE_P(Files, LogitsGolden, ::testing::ValuesIn(files_with("input/logits")), golden_name);

class EdgesGolden : public ::testing::TestWithParam<Path> {};

TEST_P(EdgesGolden, ConfidencesOnAnEdgeBelongBelowIt) {
  const Golden golden(GetParam());
  const auto bins = golden.config().at("bins").get<int64_t>();
  expect_bins(equal_width_bins(golden["input/confidence"], golden["input/correct"], bins), golden, "output/");
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EdgesGolden);
INSTANTIATE_TEST_SUITE_P(Files, EdgesGolden, ::testing::ValuesIn(files_with("input/confidence")), golden_name);

class TemperatureGolden : public ::testing::TestWithParam<Path> {};

TEST_P(TemperatureGolden, IsTheOneOfLeastLikelihoodLoss) {
  const Golden golden(GetParam());
  const Tensor f = golden["input/logits"];
  const Tensor y = golden["input/labels"];
  const double temperature = fit_temperature(f, y);
  EXPECT_TENSOR_NEAR(scalar(temperature), golden["output/temperature"], golden.tolerance("temperature"));
  EXPECT_TENSOR_NEAR(scalar(negative_log_likelihood(f / temperature, y)), golden["output/nll_at_temperature"],
                     golden.tolerance("nll_at_temperature"));
  EXPECT_TENSOR_NEAR(scalar(expected_calibration_error(f / temperature, y)), golden["output/ece15_at_temperature"],
                     (Tolerance{1e-6, 1e-6}));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TemperatureGolden);
INSTANTIATE_TEST_SUITE_P(Files, TemperatureGolden, ::testing::ValuesIn(files_with("output/temperature")), golden_name);

}  // namespace
}  // namespace sextant::calibration
