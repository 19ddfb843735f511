// What the scores refuse, and whether the message says what to do.
#include <limits>

#include "sextant/guidance/guide.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::guidance {
namespace {

const Tensor kLogits = at::zeros({2, 4}, at::kDouble);
const Tensor kLabels = at::zeros({2}, at::kLong);
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <typename E>
void expect_refused(const std::function<void()>& call, const std::string& part) {
  const std::string message = sextant::testing::message_of<E>(call);
  EXPECT_NE(message.find(part), std::string::npos) << "'" << message << "' has no '" << part << "'";
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST(Scores, RefuseLogitsWithoutABatchAxis) {
  expect_refused<ShapeError>([] { log_prob(kLogits[0], kLabels, {}); }, "unsqueeze(0)");
  expect_refused<ShapeError>([] { entropy(kLogits[0], 1); }, "unsqueeze(0)");
}

TEST(Scores, RefuseLabelsOfAnotherLengthOrType) {
  expect_refused<ShapeError>([] { reverse_kl(kLogits, at::zeros({3}, at::kLong), {}); }, "labels [3]");
  expect_refused<ShapeError>([] { forward_kl(kLogits, kLabels.to(at::kInt), {}); }, "int64");
}

TEST(Scores, RefuseLabelsThatAreNoClass) {
  expect_refused<ShapeError>([] { jensen_shannon(kLogits, at::full({2}, 4, at::kLong), {}); }, "label 4 of sample 0");
  expect_refused<ShapeError>([] { hellinger(kLogits, at::full({2}, -1, at::kLong), {}); }, "0 to 3");
}

TEST(Scores, RefuseToAddUpWhatOnlyBroadcasts) {
  const Score whole{at::zeros({2}), at::zeros({2, 4})};
  expect_refused<ShapeError>([&] { whole + Score{at::zeros({1}), at::zeros({1, 4})}; }, "got [2] and [1]");
  expect_refused<ShapeError>([&] { whole + Score{at::zeros({2}), at::zeros({4})}; }, "got [2, 4] and [4]");
  expect_refused<ShapeError>([&] { whole + Score{}; }, "got [2] and nothing");
}

TEST(Scores, RefuseHalfPrecisionLogitsAndASingleClass) {
  expect_refused<ShapeError>([] { log_prob(kLogits.to(at::kHalf), kLabels, {}); }, "float32");
  expect_refused<ShapeError>([] { entropy(at::zeros({2, 1}), 1); }, "at least 2 classes");
}

TEST(Scores, RefuseTemperaturesOutOfRange) {
  expect_refused<UsageError>(
      [] {
        log_prob(kLogits, kLabels, {0, 1});
      },
      "joint-temperature must be a number above 0 to 100, got 0");
  expect_refused<UsageError>(
      [] {
        log_prob(kLogits, kLabels, {1, -0.5});
      },
      "marginal-temperature must be a number from 0 to 100, got -0.5");
  expect_refused<UsageError>([] { log_prob(kLogits, kLabels, {kNaN, 1}); }, "joint");
  expect_refused<UsageError>([] { log_prob(kLogits, kLabels, {1, kNaN}); }, "marginal");
}

TEST(Scores, RefuseDivergencesOutOfRange) {
  expect_refused<UsageError>(
      [] {
        reverse_kl(kLogits, kLabels, {kNaN, 0.1});
      },
      "alpha must be a number from 0 to 10, got nan");
  expect_refused<UsageError>([] { forward_kl(kLogits, kLabels, {-0.1, 0.1}); }, "alpha must be");
  expect_refused<UsageError>(
      [] {
        jensen_shannon(kLogits, kLabels, {0.1, 1.5});
      },
      "epsilon must be a number from 0 to 1, got");
  expect_refused<UsageError>(
      [] {
        hellinger(kLogits, kLabels, {0.1, kNaN});
      },
      "epsilon must be a number from 0 to 1, got");
  expect_refused<UsageError>([] { smoothed_target(kLabels, kLogits, -0.1); },
                             "epsilon must be a number from 0 to 1, got");
  expect_refused<UsageError>([] { entropy(kLogits, kNaN); }, "lambda");
}

TEST(Divergences, RefuseAnEpsilonAtWhichTheyAreInfinite) {
  expect_refused<UsageError>([] { forward_kl(kLogits, kLabels, {0.1, 1.0}); }, "choose epsilon below 1");
  expect_refused<UsageError>([] { chi2(kLogits, kLabels, {0.1, 1.0}); }, "choose epsilon below 1");
  expect_refused<UsageError>([] { alpha_divergence(kLogits, kLabels, {0.1, 1.0}, 1); }, "choose epsilon below 1");
  expect_refused<UsageError>([] { alpha_divergence(kLogits, kLabels, {0.1, 1.0}, 1.5); }, "choose epsilon below 1");
}

TEST(Divergences, RefuseATargetWithoutMassOnAClassAtWhichTheyAreInfinite) {
  const Divergence zero{0.1, 0.1, at::tensor({0.5, 0.5, 0.0, 0.0}, at::kDouble)};
  expect_refused<UsageError>([&] { forward_kl(kLogits, kLabels, zero); }, "give every class a share");
  expect_refused<UsageError>([&] { chi2(kLogits, kLabels, zero); }, "give every class a share");
  expect_refused<UsageError>([&] { alpha_divergence(kLogits, kLabels, zero, 1.5); }, "give every class a share");
}

TEST(AlphaDivergence, RefusesOrdersOutOfRange) {
  for (const double order : {-0.1, 2.1, kNaN}) {
    expect_refused<UsageError>([=] { alpha_divergence(kLogits, kLabels, {}, order); },
                               "divergence-order must be a number from 0 to 2");
  }
}

TEST(Targets, AreRefusedUnlessTheyAreDistributionsOverTheClasses) {
  const auto with = [](const Tensor& target) {
    return [target] { jensen_shannon(kLogits, kLabels, {0.1, 0.1, target}); };
  };
  const auto of = [](std::initializer_list<double> q) { return at::tensor(std::vector<double>(q), at::kDouble); };
  expect_refused<ShapeError>(with(of({0.5, 0.25, 0.25})), "target distribution [4] or [2, 4], got [3]");
  expect_refused<ShapeError>(with(at::full({3, 4}, 0.25)), "got [3, 4]");
  expect_refused<ShapeError>(with(at::full({1, 2, 4}, 0.25)), "got [1, 2, 4]");
  expect_refused<ShapeError>(with(at::ones({4}, at::kLong)), "floating-point");
  expect_refused<UsageError>(with(of({0.5, 0.5, 0.5, -0.5})), "without negative numbers, got -0.5");
  expect_refused<UsageError>(with(of({0.5, 0.5, 0.5, 0})), "sums to 1, got 1.5.");
  expect_refused<UsageError>(with(of({0.5, 0.5, kNaN, 0})), "finite target");
  expect_refused<UsageError>(with(at::stack({of({0.25, 0.25, 0.25, 0.25}), of({0.25, 0.25, 0.25, 0})})),
                             "got 0.75 for sample 1");
}

TEST(Targets, OfAnEmptyBatchGiveAnEmptyScore) {
  const Tensor f = at::zeros({0, 4}), y = at::zeros({0}, at::kLong);
  for (const Tensor& target : {at::zeros({0, 4}), at::full({4}, 0.25)}) {
    const Score score = reverse_kl(f, y, {0.1, 0.1, target});
    EXPECT_EQ(score.value.sizes(), at::IntArrayRef({0}));
    EXPECT_EQ(score.gradient.sizes(), at::IntArrayRef({0, 4}));
  }
}

TEST(Targets, OfHalfFloatsAreAsExactAsTheyCanBeAndSumToOne) {
  const Tensor f = at::log(at::tensor({0.3, 0.1, 0.2, 0.25, 0.15}, at::kDouble)).unsqueeze(0);
  const Tensor y = at::zeros({1}, at::kLong);
  for (const auto dtype : {at::kHalf, at::kBFloat16}) {
    const Score score = reverse_kl(f, y, {1, 0.1, at::full({5}, 0.2).to(dtype)});
    const Score exact = reverse_kl(f, y, {1, 0.1, at::full({5}, 0.2, at::kDouble)});
    EXPECT_TENSOR_NEAR(score.gradient, exact.gradient, (sextant::testing::Tolerance{1e-15, 0})) << dtype;
    EXPECT_TENSOR_NEAR(score.value, exact.value, (sextant::testing::Tolerance{1e-15, 0})) << dtype;
    expect_refused<UsageError>(
        [&] {
          reverse_kl(f, y, {1, 0.1, at::full({5}, 0.204).to(dtype)});
        },
        "sums to 1, got 1.0");
  }
}

TEST(Tilt, RefusesScoresThatAreNoBatchAndANaNTilt) {
  expect_refused<ShapeError>([] { tilt_weights(kLogits, 0.1); }, "scores [N]");
  expect_refused<ShapeError>([] { tilted_score(at::zeros({0}), 0.1); }, "scores [N]");
  expect_refused<UsageError>([] { tilt_weights(kLogits.select(1, 0), kNaN); }, "finite tilt");
}

}  // namespace
}  // namespace sextant::guidance
