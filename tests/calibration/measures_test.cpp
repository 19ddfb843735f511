#include "sextant/calibration/calibration.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::calibration {
namespace {

using namespace sextant::testing;

TEST(Entropy, IsLogKForEqualLogitsAndZeroForCertainOnes) {
  const Tensor f = at::cat({at::zeros({1, 8}), 1e4 * at::one_hot(at::tensor({3}, at::kLong), 8).to(at::kFloat)});
  const Tensor h = entropy(f);
  EXPECT_NEAR(h[0].item<double>(), std::log(8.0), 1e-14);
  EXPECT_EQ(h[1].item<double>(), 0);
}

TEST(EqualMassBins, HoldAsManySamplesEach) {
  const Tensor confidence = at::tensor({0.9, 0.1, 0.5, 0.7, 0.3, 0.6, 0.2}, at::kDouble);
  const Tensor correct = at::tensor({1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0}, at::kDouble);
  const Bins bins = equal_mass_bins(confidence, correct, 3);
  EXPECT_TRUE(at::equal(bins.count, at::tensor({2, 2, 3}, at::kLong)));
  EXPECT_TENSOR_NEAR(bins.confidence, at::tensor({0.15, 0.4, 2.2 / 3}, at::kDouble), (Tolerance{1e-15, 0}));
  EXPECT_TENSOR_NEAR(bins.accuracy, at::tensor({0.5, 0.5, 2.0 / 3}, at::kDouble), (Tolerance{1e-15, 0}));
  EXPECT_NEAR(bins.mce, 0.35, 1e-15);
  EXPECT_NEAR(bins.ece, (2 * 0.35 + 2 * 0.1 + 3 * (0.2 / 3)) / 7, 1e-15);
  EXPECT_THROW(equal_mass_bins(confidence, correct, 8), UsageError);
}

TEST(ClasswiseCalibrationError, IsTheMeanOverClasses) {
  // Two classes, always 0.8 for the first, which is right half of the time: both classes are off by 0.3.
  const Tensor f = at::tensor({std::log(0.8), std::log(0.2)}, at::kDouble).expand({4, 2});
  const Tensor y = at::tensor({0, 1, 0, 1}, at::kLong);
  EXPECT_NEAR(classwise_calibration_error(f, y, 10), 0.3, 1e-12);
  EXPECT_NEAR(expected_calibration_error(f, y, 10), 0.3, 1e-12);
}

TEST(ClasswiseCalibrationError, CountsAClassWhoseProbabilityVanishes) {
  // Certain of the first class, and wrong half of the time: p is 1 and 0, the truth a half, for both classes.
  const Tensor f = at::tensor({1e4, 0.0}, at::kDouble).expand({4, 2});
  const Tensor y = at::tensor({0, 1, 0, 1}, at::kLong);
  EXPECT_NEAR(classwise_calibration_error(f, y, 10), 0.5, 1e-12);
  // As where it does not quite vanish.
  EXPECT_NEAR(classwise_calibration_error(0.07 * f, y, 10), 0.5, 1e-12);
}

TEST(Measures, RefuseLabelsThatDoNotFit) {
  const Tensor f = at::zeros({3, 4});
  EXPECT_NE(message_of<ShapeError>([&] {
              accuracy(f, at::tensor({0, 1, 4}, at::kLong));
            }).find("[0, 4)"),
            std::string::npos);
  EXPECT_THROW(accuracy(f, at::zeros({2}, at::kLong)), ShapeError);
  EXPECT_THROW(accuracy(f, at::zeros({3})), ShapeError);
  EXPECT_THROW(accuracy(at::zeros({3}), at::zeros({3}, at::kLong)), ShapeError);
  EXPECT_THROW(accuracy(at::full({3, 4}, NAN), at::zeros({3}, at::kLong)), NumericError);
  EXPECT_THROW(equal_width_bins(at::full({2}, 1.5), at::ones({2})), NumericError);
  EXPECT_THROW(equal_width_bins(at::full({2}, 0.5), at::ones({2}), 0), UsageError);
}

TEST(SmoothEce, GradientIsThatOfFiniteDifferences) {
  auto generator = at::detail::createCPUGenerator(1);
  const Tensor f = at::randn({5, 4}, generator, at::kDouble);
  const Tensor y = at::tensor({0, 1, 2, 3, 0}, at::kLong);
  const Tensor gradient = cross_entropy_with_smooth_ece(f, y, 0.7, 1e-2).gradient;
  const double h = 1e-6;
  for (int64_t i = 0; i < f.numel(); ++i) {
    Tensor up = f.clone(), down = f.clone();
    up.view(-1)[i] += h;
    down.view(-1)[i] -= h;
    const double slope = (cross_entropy_with_smooth_ece(up, y, 0.7, 1e-2).value -
                          cross_entropy_with_smooth_ece(down, y, 0.7, 1e-2).value)
                             .item<double>() /
                         (2 * h);
    EXPECT_NEAR(gradient.view(-1)[i].item<double>(), slope, 1e-8);
  }
}

TEST(SmoothEce, IsBoundedByEceFromBelowAndStaysFiniteAtLargeLogits) {
  const Tensor f = 1e4 * at::eye(6, at::kFloat);
  const Tensor y = at::tensor({0, 1, 2, 3, 0, 1}, at::kLong);
  const Loss loss = smooth_ece(f, y);
  EXPECT_EQ(loss.gradient.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::isfinite(loss.gradient).all().item<bool>());
  EXPECT_GE(loss.value.item<double>(), expected_calibration_error(f, y));
  EXPECT_THROW(smooth_ece(f, y, 0), UsageError);
}

}  // namespace
}  // namespace sextant::calibration
