#include "sextant/calibration/calibration.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::calibration {
namespace {

using namespace sextant::testing;

struct Labelled {
  Tensor f, y;
};

/// Logits whose labels are drawn from softmax(f) itself.
Labelled calibrated(int64_t n, int64_t k, uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  const Tensor f = 2 * at::randn({n, k}, generator, at::kDouble);
  return {f, at::multinomial(at::softmax(f, 1), 1, true, generator).squeeze(1)};
}

TEST(FitTemperature, RecoversTheFactorThatSpoiltCalibratedLogits) {
  const auto [f, y] = calibrated(6000, 5, 1);
  const double fitted = fit_temperature(f, y);
  EXPECT_NEAR(fitted, 1, 0.05);
  for (const double factor : {1e-3, 3.0, 1e4})
    EXPECT_NEAR(fit_temperature(factor * f, y), factor * fitted, 1e-8 * factor);
  // One number for all labels leaves no slope.
  const Tensor residual = at::softmax(f / fitted, 1) - at::one_hot(y, 5).to(at::kDouble);
  EXPECT_NEAR((residual * f).sum(1).mean().item<double>(), 0, 1e-9);
}

TEST(FitTemperature, SaysWhyThereIsNone) {
  const Tensor f = at::eye(4, at::kDouble);
  const Tensor right = at::arange(4, at::kLong);
  EXPECT_NE(message_of<NumericError>([&] { fit_temperature(f, right); }).find("every prediction is right"),
            std::string::npos);
  EXPECT_THROW(fit_temperature(f, right.flip(0)), NumericError);
  EXPECT_THROW(fit_temperature(at::zeros({3, 4}), at::zeros({3}, at::kLong)), NumericError);
}

TEST(FitVectorScaling, RecoversScaleAndShiftOfEveryClass) {
  const auto [f, y] = calibrated(6000, 4, 2);
  const Tensor scale = at::tensor({0.5, 1.0, 2.0, 3.0}, at::kDouble);
  const Tensor shift = at::tensor({1.0, -1.0, 0.5, -0.5}, at::kDouble);
  const Tensor spoilt = (f - shift) / scale;
  const VectorScaling fitted = fit_vector_scaling(spoilt, y, 1e-6);
  const double best = negative_log_likelihood(f, y);
  EXPECT_LT(negative_log_likelihood(fitted(spoilt), y), best + 1e-6);
  EXPECT_GT(negative_log_likelihood(fitted(spoilt), y), best - 5e-3);
  EXPECT_LT(expected_calibration_error(fitted(spoilt), y), 0.04);
}

TEST(FitVectorScaling, StaysFiniteOnSeparableLogits) {
  const VectorScaling fitted = fit_vector_scaling(at::eye(4), at::arange(4, at::kLong));
  EXPECT_TRUE(at::isfinite(fitted.scale).all().item<bool>());
  EXPECT_GT(fitted.scale.min().item<double>(), 1);
  EXPECT_EQ(fitted(at::eye(4)).scalar_type(), at::kFloat);
  EXPECT_THROW(fit_vector_scaling(at::eye(4), at::arange(4, at::kLong), 0), UsageError);
}

}  // namespace
}  // namespace sextant::calibration
