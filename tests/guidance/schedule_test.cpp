#include <numbers>

#include "guidance/toy_classifier.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"
#include "support/golden.h"
#include "support/running_maximum.h"

namespace sextant::guidance {
namespace {

using ::sextant::testing::Golden;
using ::sextant::testing::golden_files;
using ::sextant::testing::golden_name;
using ::sextant::testing::running_maximum;

Guide guide_with(double gamma_factor, GammaMax gamma_max = GammaMax::kPerSample) {
  GuideConfig config;
  config.gamma_factor = gamma_factor;
  config.gamma_max = gamma_max;
  return Guide(testing::toy_classifier(18, 5), named_score("plain"), config);
}

class EluCdSchedule : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(EluCdSchedule, HasTheReferencesAddedTermAndLambda) {
  const Golden golden(GetParam());
  const auto& config = golden.config();
  const Tensor maximum = golden["output/f64/max_variance"];
  const Tensor add = golden["output/f64/add_value"];
  const int64_t steps = maximum.size(0);
  Guide guide = guide_with(config.at("gamma_factor"), GammaMax::kElucd);
  GuideInput in = testing::step_input(4, 5);
  in.num_steps = steps;
  for (int64_t k = 0; k < steps; ++k) {
    in.step = steps - 1 - k;
    // The files hold the running maximum, not the variance: a sequence that is its own running maximum.
    in.variance = maximum[k].expand({1, 1, 1, 1});
    const Tensor added = guide.gamma(in) - in.variance;
    if (guide.config().gamma_factor > 0) {
      EXPECT_TENSOR_NEAR(running_maximum(guide, in.x)[0], maximum[k], golden.tolerance("f64:"));
    }
    EXPECT_TENSOR_NEAR(added.flatten()[0], add[k], golden.tolerance("f64:"));
    EXPECT_NEAR(entropy_weight({in.step, steps}, config.at("lambda_max"), config.at("lambda_min")),
                golden["output/f64/lambda"][k].item<double>(), 1e-12);
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EluCdSchedule);
INSTANTIATE_TEST_SUITE_P(Math, EluCdSchedule, ::testing::ValuesIn(golden_files("math/samplers", "elucd_")),
                         golden_name);

TEST(EntropyWeight, FallsInTheShapeThatIsAskedFor) {
  // T = 5, from 0.2 to 0.04: the range is 0.16.
  const auto at = [](int64_t step, LambdaShape shape, double abar) {
    return entropy_weight({step, 5, abar}, 0.2, 0.04, shape);
  };
  EXPECT_NEAR(at(4, LambdaShape::kLinear, 0.1), 0.2, 1e-15);
  EXPECT_NEAR(at(1, LambdaShape::kLinear, 0.9), 0.08, 1e-15);
  EXPECT_NEAR(at(0, LambdaShape::kLinear, 0.99), 0.04, 1e-15);
  // A half cosine is at sin^2 of half the angle: t/(T-1) = 1/4 is pi/8.
  EXPECT_NEAR(at(4, LambdaShape::kCosine, 0.1), 0.2, 1e-15);
  EXPECT_NEAR(at(2, LambdaShape::kCosine, 0.5), 0.12, 1e-15);
  EXPECT_NEAR(at(1, LambdaShape::kCosine, 0.9), 0.04 + 0.16 * 0.14644660940672624, 1e-15);
  EXPECT_NEAR(at(0, LambdaShape::kCosine, 0.99), 0.04, 1e-15);
  EXPECT_NEAR(at(4, LambdaShape::kNoise, 0.25), 0.16, 1e-15);
  EXPECT_NEAR(at(0, LambdaShape::kNoise, 1), 0.04, 1e-15);
}

TEST(Gamma, AddsASineOfEachSamplesLargestVarianceSoFar) {
  Guide guide = guide_with(0.3);
  GuideInput in = testing::step_input(4, 5);
  const Tensor first = in.variance.flatten(1).amax(1);
  const double sine = std::sin(std::numbers::pi * 10 / 25);
  const Tensor gamma = guide.gamma(in);
  EXPECT_LT((gamma - (in.variance + 0.3 * sine * first.view({4, 1, 1, 1}))).abs().max().item<double>(), 1e-15);

  in.variance = in.variance * at::tensor({0.1, 2.0, 0.1, 2.0}, at::kDouble).view({4, 1, 1, 1});
  guide.gamma(in);
  const Tensor expected = first * at::tensor({1.0, 2.0, 1.0, 2.0}, at::kDouble);
  EXPECT_LT((running_maximum(guide, in.x) - expected).abs().max().item<double>(), 1e-15);
}

TEST(Gamma, OfASampleDoesNotDependOnItsBatch) {
  const GuideInput in = testing::step_input(4, 5);
  GuideInput alone = in;
  alone.x = in.x.narrow(0, 2, 1);
  alone.variance = in.variance.narrow(0, 2, 1);
  Guide together = guide_with(0.3), apart = guide_with(0.3);
  EXPECT_TRUE(at::equal(together.gamma(in).narrow(0, 2, 1), apart.gamma(alone)));
}

TEST(Gamma, InEluCdsFormReadsOnePixelOfTheFirstSample) {
  Guide guide = guide_with(0.3, GammaMax::kElucd);
  const GuideInput in = testing::step_input(4, 5);
  guide.gamma(in);
  EXPECT_TENSOR_NEAR(running_maximum(guide, in.x), in.variance.flatten()[0].expand({4}),
                     (sextant::testing::Tolerance{1e-15, 0}));
}

TEST(Gamma, TakesAFixedVarianceThatAllSamplesShare) {
  Guide guide = guide_with(0.3);
  GuideInput in = testing::step_input(4, 5);
  for (const Tensor& shared : {at::full({}, 0.2, at::kDouble), at::full({1, 1, 1, 1}, 0.2, at::kDouble)}) {
    guide.begin();
    in.variance = shared;
    EXPECT_NEAR(guide.gamma(in).max().item<double>(), 0.2 + 0.3 * std::sin(std::numbers::pi * 10 / 25) * 0.2, 1e-15);
  }
}

TEST(Gamma, IsTheVarianceAloneAtTheLastStepOrWithoutGammaFactor) {
  GuideInput in = testing::step_input(4, 5);
  EXPECT_TRUE(at::equal(guide_with(0).gamma(in), in.variance));
  in.step = 0;
  EXPECT_TRUE(at::equal(guide_with(0.3).gamma(in), in.variance));
}

TEST(Gamma, BeginsANewTrajectoryWithoutTheLastOnesMaximum) {
  Guide guide = guide_with(0.3);
  GuideInput in = testing::step_input(4, 5);
  guide.gamma(in);
  GuideInput smaller = testing::step_input(2, 5);
  EXPECT_THROW(guide.gamma(smaller), ShapeError);
  guide.begin();
  smaller.variance = smaller.variance * 0.1;
  guide.gamma(smaller);
  EXPECT_TENSOR_NEAR(running_maximum(guide, smaller.x), smaller.variance.flatten(1).amax(1),
                     (sextant::testing::Tolerance{1e-15, 0}));
}

TEST(Interval, GuidesOnlyItsNoiseLevels) {
  GuideConfig config;
  config.interval = {0.25, 0.75};
  const Guide guide(testing::toy_classifier(18, 5), named_score("plain"), config);
  std::vector<int64_t> active;
  for (int64_t step = 0; step < 9; ++step) {
    if (guide.active(step, 9)) active.push_back(step);
  }
  EXPECT_EQ(active, (std::vector<int64_t>{2, 3, 4, 5, 6}));
  EXPECT_TRUE(guide_with(0).active(0, 1));
  EXPECT_THROW(guide.active(9, 9), UsageError);
}

TEST(EntropyWeight, FallsLinearlyFromTheNoisiestStepToTheLast) {
  EXPECT_DOUBLE_EQ(entropy_weight({249, 250}, 0.2, 0.05), 0.2);
  EXPECT_DOUBLE_EQ(entropy_weight({0, 250}, 0.2, 0.05), 0.05);
  EXPECT_DOUBLE_EQ(entropy_weight({5, 11}, 0.2, 0.1), 0.15);
  EXPECT_DOUBLE_EQ(entropy_weight({0, 1}, 0.2, 0.05), 0.2);
  EXPECT_THROW(entropy_weight({250, 250}, 0.2, 0.05), UsageError);
}

TEST(ScoreFactor, IsOneAtTheLastStepAndLargestHalfway) {
  const Guide guide = guide_with(0.3);
  EXPECT_DOUBLE_EQ(guide.score_factor(0, 10), 1);
  EXPECT_DOUBLE_EQ(guide.score_factor(5, 10), 1.3);
}

}  // namespace
}  // namespace sextant::guidance
