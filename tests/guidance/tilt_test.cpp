#include <ATen/CPUGeneratorImpl.h>

#include "guidance/toy_classifier.h"
#include "sextant/guidance/guide.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

Tensor scores(uint64_t seed, int64_t n, double spread, at::ScalarType dtype = at::kDouble) {
  return (spread * at::randn({n}, at::detail::createCPUGenerator(seed), at::kDouble)).to(dtype);
}

TEST(Tilt, WeightsAverageToOne) {
  for (const double tilt : {-5.0, -0.2, 0.1, 3.0}) {
    for (const int64_t n : {1, 3, 16, 256}) {
      EXPECT_NEAR(tilt_weights(scores(1, n, 5), tilt).mean().item<double>(), 1, 1e-13);
      EXPECT_NEAR(tilt_weights(scores(1, n, 5), tilt, TiltForm::kSumToOne).sum().item<double>(), 1, 1e-13);
    }
  }
}

TEST(Tilt, OfZeroIsExactlyPlainGuidance) {
  for (const int64_t n : {1, 3, 49, 256}) {
    EXPECT_TRUE(at::equal(tilt_weights(scores(2, n, 5), 0), at::ones({n}, at::kDouble)));
    EXPECT_TRUE(at::equal(tilt_weights(scores(2, n, 5, at::kFloat), 0), at::ones({n}, at::kFloat)));
  }
}

TEST(Tilt, OfZeroIsPlainGuidanceInTheFormAsPrintedToo) {
  const Classifier classifier = testing::toy_classifier(18, 5);
  const GuideInput in = testing::step_input(4, 5);
  GuideConfig config;
  const Guidance plain = Guide(classifier, parse_score("plain", {}), config)(in);
  config.tilt_form = TiltForm::kSumToOne;
  for (const int64_t group : {0, 2}) {
    config.tilt_group = group;
    const Guidance printed = Guide(classifier, parse_score("plain", {}), config)(in);
    EXPECT_TRUE(at::equal(printed.weight, at::ones({4}, at::kDouble))) << printed.weight;
    EXPECT_TRUE(at::equal(printed.gradient, plain.gradient)) << "the batch size scales it";
  }
}

TEST(Tilt, TakesHalfFloatsAndAnswersInThem) {
  for (const auto dtype : {at::kHalf, at::kBFloat16}) {
    const Tensor s = scores(6, 16, 3).to(dtype);
    for (const double tilt : {-0.2, 0.0}) {
      for (const auto form : {TiltForm::kMeanPreserving, TiltForm::kSumToOne}) {
        const Tensor weights = tilt_weights(s, tilt, form);
        EXPECT_EQ(weights.scalar_type(), dtype);
        EXPECT_TRUE(at::equal(weights, tilt_weights(s.to(at::kFloat), tilt, form).to(dtype)));
      }
      EXPECT_TRUE(at::equal(tilted_score(s, tilt), tilted_score(s.to(at::kDouble), tilt).to(dtype)));
    }
  }
}

TEST(Tilt, BelowZeroFavoursUnlikelySamples) {
  const Tensor s = at::tensor({-8.0, -4.0, -1.0, -0.01}, at::kDouble);
  const Tensor expected = at::tensor({2.1072299319, 0.9468394425, 0.5196365035, 0.4262941221}, at::kDouble);
  EXPECT_TENSOR_NEAR(tilt_weights(s, -0.2), expected, (::sextant::testing::Tolerance{1e-10, 0}));
  EXPECT_NEAR(tilted_score(s, -0.2).item<double>(), -4.2731287175, 1e-10);
}

TEST(Tilt, IsFiniteForScoresThatExpCannotHold) {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    const Tensor s = scores(3, 64, 1e4, dtype);
    for (const double tilt : {-5.0, 5.0}) {
      EXPECT_TRUE(tilt_weights(s, tilt).isfinite().all().item<bool>());
      EXPECT_TRUE(tilted_score(s, tilt).isfinite().all().item<bool>());
    }
  }
}

TEST(TiltedScore, GoesToTheMeanAsTheTiltVanishes) {
  const Tensor s = scores(4, 16, 3);
  const double mean = s.mean().item<double>();
  EXPECT_DOUBLE_EQ(tilted_score(s, 0).item<double>(), mean);
  EXPECT_NEAR(tilted_score(s, 1e-12).item<double>(), mean, 1e-10);
  EXPECT_NEAR(tilted_score(s, -1e-12).item<double>(), mean, 1e-10);
}

TEST(TiltedScore, RunsFromTheSmallestToTheLargestScore) {
  const Tensor s = scores(5, 16, 3);
  EXPECT_NEAR(tilted_score(s, -1e6).item<double>(), s.min().item<double>(), 1e-5);
  EXPECT_NEAR(tilted_score(s, 1e6).item<double>(), s.max().item<double>(), 1e-5);
}

}  // namespace
}  // namespace sextant::guidance
