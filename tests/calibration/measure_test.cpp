#include <ATen/core/grad_mode.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "sextant/calibration/calibration.h"
#include "sextant/runtime/error.h"
#include "support/golden.h"

namespace sextant::calibration {
namespace {

using namespace sextant::testing;
using Path = std::filesystem::path;

class MeasureGolden : public ::testing::TestWithParam<Path> {};

TEST_P(MeasureGolden, AgreesWithTheReferenceInEveryNumber) {
  const Golden golden(GetParam());
  if (!golden.has("input/logits")) return;  // confidences alone: golden_test.cpp has them
  const Tensor f = golden["input/logits"];
  const Tensor y = golden["input/labels"];
  for (const int64_t bins : {10, 15, 20}) {
    const std::string prefix = "output/bins" + std::to_string(bins) + "/";
    if (!golden.has(prefix + "ece")) continue;
    const double beta = golden.config().value("beta_1", 1e-4);
    const Measures m = measure(f, y, {bins, beta});
    const auto expect = [&](const std::string& key, double actual) {
      if (!golden.has(key)) return;
      const double expected = golden[key].item<double>();
      EXPECT_NEAR(actual, expected, 1e-12 + 1e-10 * std::abs(expected)) << key;
    };
    EXPECT_EQ(m.count, f.size(0));
    expect(prefix + "ece", m.ece);
    expect(prefix + "mce", m.mce);
    expect("output/accuracy", m.accuracy);
    expect("output/nll", m.nll);
    expect("output/brier", m.brier);
    expect("output/smooth_ece_1/loss", m.smooth_ece);
    EXPECT_TRUE(at::equal(m.diagram.count, golden[prefix + "count"]));
    if (golden.has("output/confidence")) {
      EXPECT_NEAR(m.confidence, golden["output/confidence"].mean().item<double>(), 1e-12);
    }
    EXPECT_EQ(m.classwise, classwise_calibration_error(f, y, bins));
    EXPECT_EQ(m.entropy, entropy(f).mean().item<double>());
    const Predictions p = predict(f, y);
    EXPECT_EQ(m.ece_mass, equal_mass_bins(p.confidence, p.correct, std::min(bins, m.count)).ece);
  }
}

/// A key that no test reads would be a promise that nobody keeps.
TEST_P(MeasureGolden, HasNoOutputThatIsNotTested) {
  const Golden golden(GetParam());
  static const std::regex kTested(
      "output/(bins[0-9]+/)?(count|accuracy|confidence|ece|mce)|output/(prediction|nll|brier|temperature|"
      "nll_at_temperature|ece15_at_temperature)|output/(smooth_ece|combined)_[0-9]+/(loss|grad)|"
      "output/(loss|grad_first_index)");
  for (const std::string& name : golden.file().tensors.names()) {
    // Another way to share the gradient among tied classes, which sextant does not have.
    if (name.rfind("output/", 0) != 0 || name == "output/grad_amax_split") continue;
    EXPECT_TRUE(std::regex_match(name, kTested)) << name;
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MeasureGolden);
INSTANTIATE_TEST_SUITE_P(Files, MeasureGolden, ::testing::ValuesIn(golden_files("math/calibration")), golden_name);

/// Smooth ECE by the definition, with libtorch's own derivative.
Tensor gradient_by_autograd(const Tensor& logits, const Tensor& y, double lambda, double beta) {
  const at::AutoGradMode on(true);
  const Tensor f = logits.detach().clone().set_requires_grad(true);
  const auto [confidence, prediction] = at::softmax(f, 1).max(1);
  const Tensor r = confidence - (prediction == y).to(at::kDouble);
  const Tensor smooth = (r * r + beta).sqrt().mean();
  const Tensor cross_entropy = at::nll_loss(at::log_softmax(f, 1), y);
  (cross_entropy + lambda * smooth).backward();
  return f.grad();
}

TEST(SmoothEce, GradientIsThatOfAutogradToTenDigits) {
  auto generator = at::detail::createCPUGenerator(3);
  for (const auto& [n, k] : {std::pair<int64_t, int64_t>{1, 2}, {7, 3}, {64, 10}, {16, 1000}}) {
    for (const double spread : {0.1, 3.0, 30.0}) {
      const Tensor f = spread * at::randn({n, k}, generator, at::kDouble);
      const Tensor y = at::randint(k, {n}, generator, at::kLong);
      for (const double beta : {1e-8, 1e-4, 1e-2}) {
        const Tensor whole = cross_entropy_with_smooth_ece(f, y, 0.7, beta).gradient;
        EXPECT_TENSOR_NEAR(whole, gradient_by_autograd(f, y, 0.7, beta), (Tolerance{1e-10, 0}));
        const Tensor alone = gradient_by_autograd(f, y, 1, beta) - gradient_by_autograd(f, y, 0, beta);
        EXPECT_TENSOR_NEAR(smooth_ece(f, y, beta).gradient, alone, (Tolerance{1e-10, 0}));
      }
    }
  }
}

TEST(SmoothEce, GradientAtTiesIsThatOfAutogradThroughTheFirst) {
  const Tensor f = at::tensor({1.0, 1.0, 0.0, 2.0, 2.0, 2.0}, at::kDouble).view({2, 3});
  const Tensor y = at::tensor({1, 0}, at::kLong);
  EXPECT_TENSOR_NEAR(cross_entropy_with_smooth_ece(f, y, 1, 1e-4).gradient, gradient_by_autograd(f, y, 1, 1e-4),
                     (Tolerance{1e-10, 0}));
}

TEST(Measure, HasNoMoreEqualMassBinsThanSamples) {
  const Tensor f = at::tensor({2.0, 0.0, 0.0, 1.0}, at::kDouble).view({2, 2});
  const Measures m = measure(f, at::tensor({0, 0}, at::kLong), {15, 1e-4});
  const double a = 1 / (1 + std::exp(-2.0)), b = 1 / (1 + std::exp(-1.0));
  EXPECT_NEAR(m.ece_mass, ((1 - a) + b) / 2, 1e-15);
  EXPECT_EQ(m.accuracy, 0.5);
}

TEST(Measure, IsTheSameForFloat32AndFloat64Logits) {
  auto generator = at::detail::createCPUGenerator(4);
  const Tensor f = at::randn({50, 6}, generator, at::kFloat);
  const Tensor y = at::randint(6, {50}, generator, at::kLong);
  EXPECT_EQ(to_json(measure(f, y)), to_json(measure(f.to(at::kDouble), y)));
}

TEST(Measure, BecomesJsonWithEveryBin) {
  const Tensor f = at::tensor({std::log(0.8), std::log(0.2)}, at::kDouble).expand({4, 2});
  const nlohmann::json record = to_json(measure(f, at::tensor({0, 1, 0, 1}, at::kLong), {10, 1e-4}));
  EXPECT_EQ(record["count"], 4);
  EXPECT_NEAR(record["ece"].get<double>(), 0.3, 1e-12);
  ASSERT_EQ(record["bins"].size(), 10);
  int64_t counted = 0;
  for (const auto& bin : record["bins"]) counted += bin["count"].get<int64_t>();
  EXPECT_EQ(counted, 4);
  EXPECT_EQ(record["bins"][9]["high"], 1.0);
  for (const char* key : {"accuracy", "ece_mass", "mce", "classwise_ece", "smooth_ece", "nll", "brier",
                          "mean_confidence", "mean_entropy"}) {
    EXPECT_TRUE(record[key].is_number()) << key;
  }
}

TEST(Measure, OfAClassifierWithoutDoubtHasNoSign) {
  const Tensor f = at::tensor({1e4, 0.0, 0.0, 1e4}, at::kDouble).view({2, 2});
  EXPECT_FALSE(std::signbit(negative_log_likelihood(f, at::tensor({0, 1}, at::kLong))));
}

TEST(Measure, RefusesWhatIsNoAnswer) {
  const Tensor y = at::zeros({3}, at::kLong);
  EXPECT_THROW(measure(at::full({3, 4}, NAN), y), NumericError);
  EXPECT_THROW(measure(at::full({3, 4}, INFINITY), y), NumericError);
  EXPECT_THROW(measure(at::zeros({3, 4}), y + 4), ShapeError);
  EXPECT_THROW(measure(at::zeros({3, 4}), y - 1), ShapeError);
  EXPECT_THROW(measure(at::zeros({3, 4}), y, {0, 1e-4}), UsageError);
  EXPECT_THROW(measure(at::zeros({3, 4}), y, {15, 0}), UsageError);
}

}  // namespace
}  // namespace sextant::calibration
