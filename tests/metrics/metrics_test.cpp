#include "sextant/metrics/metrics.h"

#include "metrics/rule_features.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/numbers.h"

namespace sextant::metrics {
namespace {

using namespace sextant::testing;

Tensor pair(MeanStd value) { return at::tensor({value.mean, value.standard_deviation}, at::kDouble); }

// ---- Inception Score ----

class InceptionScoreGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(InceptionScoreGolden, ScoresMatchOpenAisAndTorchFidelitys) {
  const Golden golden(GetParam());
  const Tensor logits = golden["input/logits"];
  const auto splits = golden.config().at("splits").get<int64_t>();
  const auto chunk = golden.config().at("openai_split_size").get<int64_t>();
  const Tolerance tolerance{1e-13, golden.tolerance().rtol};
  EXPECT_TENSOR_NEAR(at::tensor({inception_score_chunks(logits, chunk).mean}, at::kDouble), golden["output/openai"],
                     tolerance);
  EXPECT_TENSOR_NEAR(pair(inception_score_splits(logits, splits)), golden["output/splits_mean_std"], tolerance);
  EXPECT_TENSOR_NEAR(pair(inception_score_splits(logits, splits, golden["input/permutation"])),
                     golden["output/splits_shuffled_mean_std"], tolerance);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(InceptionScoreGolden);
INSTANTIATE_TEST_SUITE_P(Files, InceptionScoreGolden,
                         ::testing::ValuesIn(golden_files("math/metrics", "inception_score_")), golden_name);

TEST(InceptionScore, IsTheNumberOfClassesForCertainBalancedPredictionsAndOneForUniformOnes) {
  const Tensor certain = 1e4 * at::eye(10, at::kDouble);
  EXPECT_NEAR(inception_score_chunks(certain).mean, 10, 1e-9);
  EXPECT_NEAR(inception_score_chunks(at::zeros({10, 10})).mean, 1, 1e-12);
  EXPECT_THROW(inception_score_splits(certain, 11), UsageError);
}

TEST(InceptionScore, RefusesAnOrderThatLeavesSamplesOut) {
  const Tensor logits = at::zeros({4, 3});
  const auto message = [&](const std::vector<int64_t>& order) {
    return message_of<UsageError>([&] { inception_score_splits(logits, 2, at::tensor(order, at::kLong)); });
  };
  EXPECT_EQ(message({3, 0, 2, 1}), "");
  for (const std::vector<int64_t>& order : {std::vector<int64_t>{0, 1, 2, 4}, {0, 1, 2, -1}, {0, 1, 2, 2}}) {
    EXPECT_NE(message(order).find("expected a permutation, every number from 0 to N - 1 once"), std::string::npos);
  }
  EXPECT_THROW(inception_score_splits(logits, 2, at::arange(4, at::kFloat)), UsageError);
}

// ---- precision and recall ----

class PrecisionRecallGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(PrecisionRecallGolden, CountsAndRadiiMatchTheFloat64Reference) {
  const Golden golden(GetParam());
  Tensor reference, sample;
  if (has_rule(golden)) {
    const RuleFeatures sets = rule_features(golden);
    reference = sets.first;
    sample = sets.second;
  } else {
    reference = golden["input/reference"];
    sample = golden["input/sample"];
  }
  const PrecisionRecall result = precision_recall(reference, sample, golden.config().at("k").get<int64_t>());
  const Tolerance rounding{1e-12, 1e-12};
  const Tolerance radii{1e-12, has_rule(golden) ? 1e-9 : 0};
  EXPECT_TENSOR_NEAR(at::tensor({result.precision}, at::kDouble), golden["output/precision"], rounding);
  EXPECT_TENSOR_NEAR(at::tensor({result.recall}, at::kDouble), golden["output/recall"], rounding);
  EXPECT_TENSOR_NEAR(result.radii_squared_reference, golden["output/radii_squared_reference"], radii);
  EXPECT_TENSOR_NEAR(result.radii_squared_sample, golden["output/radii_squared_sample"], radii);
  if (!golden.has("output/sample_in_reference")) return;
  EXPECT_TENSOR_NEAR(at::tensor({result.f_score}, at::kDouble), golden["output/f_score"], rounding);
  EXPECT_TENSOR_NEAR(result.sample_in_reference.to(at::kLong), golden["output/sample_in_reference"], Tolerance{});
  EXPECT_TENSOR_NEAR(result.reference_in_sample.to(at::kLong), golden["output/reference_in_sample"], Tolerance{});
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PrecisionRecallGolden);
INSTANTIATE_TEST_SUITE_P(Files, PrecisionRecallGolden,
                         ::testing::ValuesIn(golden_files("math/metrics", "precision_recall_")), golden_name);

TEST(PrecisionRecall, OfCollapsedSamplesHasHighPrecisionAndLowRecall) {
  const Tensor reference = normals({300, 8}, 1);
  const Tensor collapsed = reference.slice(0, 0, 1) + 1e-3 * normals({300, 8}, 2);
  const PrecisionRecall result = precision_recall(reference, collapsed);
  EXPECT_EQ(result.precision, 1);
  EXPECT_LT(result.recall, 0.02);
  const PrecisionRecall swapped = precision_recall(collapsed, reference);
  EXPECT_EQ(swapped.precision, result.recall);
  EXPECT_EQ(swapped.recall, result.precision);
}

/// The definition, by differences of coordinates.
PrecisionRecall by_definition(const Tensor& x, const Tensor& y, int64_t k) {
  const auto distances = [](const Tensor& a, const Tensor& b) {
    return (a.unsqueeze(1) - b.unsqueeze(0)).square().sum(2);
  };
  const Tensor r = std::get<0>(distances(x, x).sort(1)).select(1, k);
  const Tensor s = std::get<0>(distances(y, y).sort(1)).select(1, k);
  const Tensor cross = distances(x, y);
  PrecisionRecall result;
  result.precision = (cross <= r.unsqueeze(1)).any(0).to(at::kDouble).mean().item<double>();
  result.recall = (cross <= s).any(1).to(at::kDouble).mean().item<double>();
  return result;
}

TEST(PrecisionRecall, IsExactWhereFloat32CannotTellDistancesApart) {
  // A lattice far from the origin, of spacing 2^-20: squared distances near 2^-40 beside coordinates of 1, many of them
  // equal.
  const Tensor x = at::floor(normals({120, 5}, 3) * 3) * 0x1p-20 + 1;
  const Tensor y = at::floor(normals({150, 5}, 4) * 3) * 0x1p-20 + 1;
  for (const double size : {1.0, 0x1p100, 0x1p-100}) {
    const PrecisionRecall expected = by_definition(x * size, y * size, 3);
    const PrecisionRecall result = precision_recall(x * size, y * size, 3);
    EXPECT_EQ(result.precision, expected.precision) << size;
    EXPECT_EQ(result.recall, expected.recall) << size;
  }
}

TEST(PrecisionRecall, DoesNotDependOnTheNumberOfThreads) {
  const Tensor x = normals({1100, 12}, 5);
  const Tensor y = normals({900, 12}, 6) * 1.1;
  const int before = threads();
  set_threads(1);
  const PrecisionRecall one = precision_recall(x, y);
  set_threads(3);
  const PrecisionRecall three = precision_recall(x, y);
  set_threads(before);
  EXPECT_TRUE(at::equal(one.sample_in_reference, three.sample_in_reference));
  EXPECT_TRUE(at::equal(one.radii_squared_sample, three.radii_squared_sample));
}

TEST(PrecisionRecall, NeedsMorePointsThanNeighbours) {
  EXPECT_THROW(precision_recall(normals({3, 2}, 1), normals({9, 2}, 1), 3), UsageError);
  EXPECT_THROW(precision_recall(normals({9, 3}, 1), normals({9, 2}, 1), 3), ShapeError);
  EXPECT_NE(message_of<UsageError>([] {
              precision_recall(at::rand({4, 2}), at::rand({4, 2}), 0);
            }).find("expected neighbours of at least 1, got 0"),
            std::string::npos);
}

TEST(DensityCoverage, MatchesItsDefinition) {
  const Tensor x = normals({200, 6}, 7);
  const Tensor y = normals({150, 6}, 8) * 0.7;
  const int64_t k = 5;
  const auto distances = [](const Tensor& a, const Tensor& b) {
    return (a.unsqueeze(1) - b.unsqueeze(0)).square().sum(2);
  };
  const Tensor inside = distances(x, y) < std::get<0>(distances(x, x).sort(1)).select(1, k).unsqueeze(1);
  const DensityCoverage result = density_coverage(x, y, k);
  EXPECT_DOUBLE_EQ(result.density, inside.sum().item<double>() / (k * 150.0));
  EXPECT_DOUBLE_EQ(result.coverage, inside.any(1).to(at::kDouble).mean().item<double>());
}

// ---- accuracy and uncertainty ----

TEST(ClassAccuracy, CountsEachClassAndTakesTheFirstOfEqualLogits) {
  const Tensor logits =
      at::tensor({0.0, 1.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0}, at::kDouble).view({4, 3});
  const ClassAccuracy result = class_accuracy(logits, at::tensor({1, 0, 2, 0}, at::kLong));
  EXPECT_DOUBLE_EQ(result.overall, 0.75);
  EXPECT_TRUE(at::equal(result.count, at::tensor({2, 1, 1}, at::kLong)));
  EXPECT_TENSOR_NEAR(result.accuracy, at::tensor({0.5, 1.0, 1.0}, at::kDouble), Tolerance{});
  EXPECT_THROW(class_accuracy(logits, at::tensor({1, 0, 3, 0}, at::kLong)), ShapeError);
}

TEST(Bootstrap, CoversAMeanAsTheCentralLimitTheoremSays) {
  const Tensor x = normals({400}, 9);
  const Interval interval = bootstrap_mean(x, 2000);
  const double half = 1.96 * x.std().item<double>() / 20;
  EXPECT_NEAR(interval.low, x.mean().item<double>() - half, 0.15 * half);
  EXPECT_NEAR(interval.high, x.mean().item<double>() + half, 0.15 * half);
  const Interval again = bootstrap_mean(x, 2000);
  EXPECT_EQ(interval.low, again.low);
}

TEST(Bootstrap, RefusesAStatisticThatIsNoNumber) {
  Tensor x = normals({8}, 9);
  x[3] = std::nan("");
  EXPECT_THROW(bootstrap_mean(x, 100), NumericError);
}

}  // namespace
}  // namespace sextant::metrics
