// What stands around a score: the target of a divergence, the entropy-driven factor, classifier-free guidance.
#include <gtest/gtest.h>

#include "sextant/guidance/guide.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"

namespace sextant::guidance {
namespace {

TEST(SmoothedTarget, IsADistributionFromUniformToOneHot) {
  const Tensor f = at::zeros({4, 6}, at::kDouble), y = at::tensor({0, 5, 2, 3}, at::kLong);
  for (const double epsilon : {0.0, 0.1, 1.0}) {
    const Tensor q = smoothed_target(y, f, epsilon);
    EXPECT_LT((q.sum(1) - 1).abs().max().item<double>(), 1e-15);
  }
  EXPECT_TRUE(at::equal(smoothed_target(y, f, 1.0), at::one_hot(y, 6).to(at::kDouble)));
  EXPECT_TRUE(at::equal(smoothed_target(y, f, 0.0), at::full_like(f, 1.0 / 6)));
}

TEST(EntropyDrivenScale, IsOneForAUniformClassifierAndFiniteForACertainOne) {
  EXPECT_NEAR(entropy_driven_scale(at::zeros({1, 10}, at::kDouble)).item<double>(), 1, 1e-14);
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    const Tensor certain = 1e4 * at::one_hot(at::zeros({1}, at::kLong), 10).to(dtype);
    EXPECT_TRUE(entropy_driven_scale(certain).isfinite().all().item<bool>());
  }
}

TEST(ClassifierFree, AtScaleOneIsExactlyTheConditionalPrediction) {
  const Tensor conditional = at::arange(24).to(at::kFloat).div(7).view({4, 6});
  EXPECT_TRUE(at::equal(classifier_free(conditional, conditional + 0.3, 1), conditional));
  EXPECT_THROW(classifier_free(conditional, conditional.narrow(0, 0, 2), 2), ShapeError);
}

}  // namespace
}  // namespace sextant::guidance
