#include <ATen/CPUGeneratorImpl.h>

#include "adam.h"
#include "loss_scale.h"
#include "sextant/runtime/error.h"
#include "sextant/training/trainer.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using namespace training;

TEST(Adam, FirstStepMovesEveryWeightByTheLearningRate) {
  // m / (1 - beta1) = g and v / (1 - beta2) = g^2, so the step is lr g / (|g| + eps).
  Tensor w = at::zeros({4}), g = at::tensor({1.0f, -2.0f, 1e-3f, -50.0f});
  Adam adam(w, {.eps = 1e-12});
  adam.step(w, g, 0.1);
  EXPECT_TENSOR_NEAR(w, -0.1 * g.sign(), (Tolerance{1e-6, 0}));
}

TEST(Adam, FollowsTheDefinition) {
  // Three steps of Algorithm 1 of Kingma & Ba in float64, with both kinds of decay.
  for (const bool decoupled : {true, false}) {
    const double lr = 0.03, b1 = 0.8, b2 = 0.95, eps = 1e-3, decay = 0.2;
    double w = 0.7, m = 0, v = 0;
    Tensor weights = at::full({1}, w, at::kFloat);
    Adam adam(weights, {b1, b2, eps, decay, decoupled});
    for (int i = 1; i <= 3; ++i) {
      double g = std::sin(3.0 * i);
      adam.step(weights, at::full({1}, g, at::kFloat), lr);
      if (decoupled) w -= lr * decay * w;
      if (!decoupled) g += decay * w;
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      w -= lr * (m / (1 - std::pow(b1, i))) / (std::sqrt(v / (1 - std::pow(b2, i))) + eps);
    }
    EXPECT_NEAR(weights.item<double>(), w, 1e-6) << decoupled;
  }
}

TEST(Adam, MovesManyWeightsAsItMovesEach) {
  // More than it moves at once, by a number that no block divides.
  constexpr int64_t kCount = 200'003;
  auto generator = at::detail::createCPUGenerator(7);
  const Tensor start = at::randn({kCount}, generator), gradient = at::randn({kCount}, generator);
  Tensor weights = start.clone();
  Adam adam(weights, {.weight_decay = 0.1});
  for (int i = 0; i < 2; ++i) adam.step(weights, gradient, 0.01);
  for (const int64_t at : {int64_t{0}, int64_t{32'767}, int64_t{32'768}, int64_t{131'072}, kCount - 1}) {
    Tensor one = start.narrow(0, at, 1).clone();
    Adam alone(one, {.weight_decay = 0.1});
    for (int i = 0; i < 2; ++i) alone.step(one, gradient.narrow(0, at, 1), 0.01);
    EXPECT_NEAR(weights[at].item<float>(), one.item<float>(), 1e-6) << at;
  }
}

TEST(LearningRateSchedule, RisesThenFalls) {
  const LearningRateSchedule cosine{2.0, 4, LearningRateSchedule::Decay::kCosine, 0.1, 14};
  EXPECT_DOUBLE_EQ(cosine.at(0), 0.5);
  EXPECT_DOUBLE_EQ(cosine.at(3), 2.0);
  EXPECT_DOUBLE_EQ(cosine.at(4), 2.0);
  EXPECT_NEAR(cosine.at(9), 2.0 * (0.1 + 0.9 * 0.5), 1e-12);
  EXPECT_NEAR(cosine.at(14), 0.2, 1e-12);
  const LearningRateSchedule linear{1.0, 0, LearningRateSchedule::Decay::kLinear, 0.5, 10};
  EXPECT_DOUBLE_EQ(linear.at(5), 0.75);
  const LearningRateSchedule constant{1.0, 0, LearningRateSchedule::Decay::kConstant, 0, 10};
  EXPECT_DOUBLE_EQ(constant.at(9), 1.0);
}

TEST(LossScale, HalvesOnOverflowAndGrowsBack) {
  LossScale scale = LossScale::of(at::kHalf);
  scale.patience = 2;
  EXPECT_FALSE(scale.update(false));
  EXPECT_EQ(scale.scale, 32768);
  EXPECT_TRUE(scale.update(true));
  EXPECT_EQ(scale.scale, 32768);
  EXPECT_TRUE(scale.update(true));
  EXPECT_EQ(scale.scale, 65536);
}

TEST(LossScale, NeverFallsBelowItsFloor) {
  LossScale scale = LossScale::of(at::kHalf);
  while (scale.scale > scale.floor) EXPECT_FALSE(scale.update(false));
  EXPECT_THROW(scale.update(false), NumericError);
}

TEST(LossScale, IsOneWithoutHalfPrecision) {
  LossScale scale = LossScale::of(at::kFloat);
  EXPECT_EQ(scale.scale, 1);
  EXPECT_TRUE(scale.update(true));
  EXPECT_THROW(scale.update(false), NumericError);
}

}  // namespace
}  // namespace sextant::testing
