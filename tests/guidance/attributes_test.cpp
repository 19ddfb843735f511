#include <cmath>

#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

using testing::message_of;

double sigmoid(double f) { return 1 / (1 + std::exp(-f)); }

const Tensor kF = at::tensor({2.0, -1.0, 0.5, -3.0, 40.0, 1.0}, at::kDouble).view({2, 3});
const Tensor kY = at::zeros({2}, at::kLong);

TEST(AttributeScore, OfPlainIsTheSumOfLogSigmoids) {
  const Score score = attribute_score(named_score("plain"))(kF, kY, {});
  for (int64_t n = 0; n < 2; ++n) {
    double S = 0;
    for (int64_t k = 0; k < 3; ++k) {
      const double f = kF[n][k].item<double>();
      S += std::log(sigmoid(f));
      EXPECT_NEAR(score.gradient[n][k].item<double>(), 1 - sigmoid(f), 1e-14);
    }
    EXPECT_NEAR(score.value[n].item<double>(), S, 1e-12);
  }
}

TEST(AttributeScore, WeighsEachAttribute) {
  const Score score = attribute_score(named_score("plain"), {1, 0, 2.5})(kF, kY, {});
  EXPECT_NEAR(score.value[0].item<double>(), std::log(sigmoid(2)) + 2.5 * std::log(sigmoid(0.5)), 1e-12);
  EXPECT_EQ(score.gradient[0][1].item<double>(), 0);
  EXPECT_NEAR(score.gradient[0][2].item<double>(), 2.5 * (1 - sigmoid(0.5)), 1e-14);
}

TEST(AttributeScore, OfReverseKlHasTheDivergenceOfTwoBernoulliDistributions) {
  ScoreConfig config;
  config.divergence = {0.3, 0.2, {}};
  const Score with = attribute_score(named_score("rkl", config))(kF, kY, {});
  const Score plain = attribute_score(named_score("plain"))(kF, kY, {});
  const double q = 0.8 / 2 + 0.2;  // of "yes", eq. (76) for two classes
  double divergence = 0;
  for (int64_t k = 0; k < 3; ++k) {
    const double p = sigmoid(kF[0][k].item<double>());
    divergence += q * std::log(q / p) + (1 - q) * std::log((1 - q) / (1 - p));
    EXPECT_NEAR((with.gradient - plain.gradient)[0][k].item<double>(), 0.3 * (q - p), 1e-13);
  }
  EXPECT_NEAR((with.value - plain.value)[0].item<double>(), -0.3 * divergence, 1e-12);
}

TEST(AttributeScore, AtTemperaturesIsThatOfTwoClassesWithHalfTheLogitEach) {
  ScoreConfig config;
  config.temperatures = {1.0, 0.5};
  const Score score = attribute_score(named_score("plain", config))(kF.narrow(1, 0, 1), kY, {});
  // tau1 f/2 - log(e^(tau2 f/2) + e^(-tau2 f/2)) at f = 2
  EXPECT_NEAR(score.value[0].item<double>(), 1 - std::log(std::exp(0.5) + std::exp(-0.5)), 1e-13);
  EXPECT_NEAR(score.gradient[0][0].item<double>(), 0.5 - 0.25 * std::tanh(0.5) * 1.0, 1e-13);
}

TEST(AttributeScore, LeavesOutWhatIsNotAsked) {
  const Tensor f = at::tensor({2.0, 0.0, -1.0}, at::kDouble).view({1, 3});
  const Score score = attribute_score(named_score("js"))(f, kY.narrow(0, 0, 1), {});
  const Score asked =
      attribute_score(named_score("js"))(at::tensor({2.0, -1.0}, at::kDouble).view({1, 2}), kY.narrow(0, 0, 1), {});
  EXPECT_NEAR(score.value[0].item<double>(), asked.value[0].item<double>(), 1e-14);
  EXPECT_EQ(score.gradient[0][1].item<double>(), 0);
}

TEST(AttributeScore, RefusesWeightsThatDoNotFit) {
  EXPECT_NE(message_of([] {
              attribute_score(named_score("plain"), {1, 2})(kF, kY, {});
            }).find("expected 3 weights"),
            std::string::npos);
  EXPECT_NE(message_of([] { attribute_score(named_score("plain"), {std::nan("")}); }).find("finite"),
            std::string::npos);
}

}  // namespace
}  // namespace sextant::guidance
