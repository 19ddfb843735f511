#include "metrics/rule_features.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/numbers.h"

namespace sextant::metrics {
namespace {

using namespace sextant::testing;
using nlohmann::json;

std::vector<std::filesystem::path> frechet_files() {
  auto files = golden_files("math/metrics", "fid_");
  const auto more = golden_files("math/metrics", "sfid_");
  files.insert(files.end(), more.begin(), more.end());
  return files;
}

struct Statistics {
  Gaussian first, second;
};

Statistics statistics(const Golden& golden) {
  if (has_rule(golden)) {
    const RuleFeatures sets = rule_features(golden);
    return {gaussian_of(sets.first), gaussian_of(sets.second)};
  }
  if (golden.has("input/mu1")) {
    return {{golden["input/mu1"], golden["input/sigma1"]}, {golden["input/mu2"], golden["input/sigma2"]}};
  }
  return {gaussian_of(golden["input/features1"]), gaussian_of(golden["input/features2"])};
}

class FrechetGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(FrechetGolden, DistanceMatchesTheExactReference) {
  const Golden golden(GetParam());
  const auto [first, second] = statistics(golden);
  const FrechetDistance distance = frechet_distance(first, second);
  const Tolerance tolerance = golden.tolerance();
  EXPECT_TENSOR_NEAR(at::tensor({distance.value}, at::kDouble), golden["output/fid"], tolerance);
  EXPECT_TENSOR_NEAR(at::tensor({distance.mean_term}, at::kDouble), golden["output/mean_term"],
                     (Tolerance{1e-12, 1e-10}));
  EXPECT_TENSOR_NEAR(at::tensor({distance.trace_root}, at::kDouble), golden["output/trace_sqrt"],
                     (Tolerance{1e-9 + tolerance.atol, 1e-7}));
  EXPECT_GE(distance.value, 0);
}

TEST_P(FrechetGolden, EveryInputIsAtNoDistanceFromItself) {
  const auto [first, second] = statistics(Golden(GetParam()));
  EXPECT_LT(frechet_distance(first, first).value, 1e-6);
  EXPECT_LT(frechet_distance(second, second).value, 1e-6);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FrechetGolden);
INSTANTIATE_TEST_SUITE_P(Files, FrechetGolden, ::testing::ValuesIn(frechet_files()), golden_name);

std::vector<std::filesystem::path> files_with_features() {
  std::vector<std::filesystem::path> files;
  for (const auto& path : frechet_files()) {
    if (Golden(path).has("output/mu1")) files.push_back(path);
  }
  return files;
}

class StatisticsGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(StatisticsGolden, OfFeaturesMatch) {
  const Golden golden(GetParam());
  const auto [first, second] = statistics(golden);
  // Elements of a covariance that cancel to nearly zero are right relative to the others.
  const Tolerance tolerance{1e-14 * golden["output/sigma1"].abs().max().item<double>(), 1e-12};
  EXPECT_TENSOR_NEAR(first.mean, golden["output/mu1"], tolerance);
  EXPECT_TENSOR_NEAR(first.covariance, golden["output/sigma1"], tolerance);
  EXPECT_TENSOR_NEAR(second.mean, golden["output/mu2"], tolerance);
  EXPECT_TENSOR_NEAR(second.covariance, golden["output/sigma2"], tolerance);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StatisticsGolden);
INSTANTIATE_TEST_SUITE_P(Files, StatisticsGolden, ::testing::ValuesIn(files_with_features()), golden_name);

TEST(FrechetDistance, OfSingularCovariancesIsThatOfTheFeaturesThemselves) {
  // Oracle: with S = X^T X / (n-1), Tr (S1 S2)^(1/2) is the sum of singular values of X1 X2^T / sqrt((n1-1)(n2-1)).
  const Tensor x = normals({30, 200}, 1);
  const Tensor y = normals({45, 200}, 2) * 2 + 0.5;
  const Tensor cross = (x - x.mean(0)).mm((y - y.mean(0)).t());
  const double root = at::linalg_svdvals(cross).sum().item<double>() / std::sqrt(29.0 * 44.0);
  const Gaussian a = gaussian_of(x);
  const Gaussian b = gaussian_of(y);
  EXPECT_NEAR(frechet_distance(a, b).trace_root, root, 1e-9 * root);
  EXPECT_LT(frechet_distance(a, a).value, 1e-9);
}

TEST(FrechetDistance, KeepsItsDigitsWhenEigenvaluesSpanTwelveDecades) {
  const Tensor spread = at::logspace(0, -12, 60, 10.0, at::kDouble);
  const Gaussian a{at::zeros({60}, at::kDouble), at::diag(spread)};
  const Gaussian b{at::zeros({60}, at::kDouble), at::diag(spread.flip(0))};
  const double exact = 2 * (spread.sum() - (spread * spread.flip(0)).sqrt().sum()).item<double>();
  EXPECT_NEAR(frechet_distance(a, b).value, exact, 1e-10);
  EXPECT_LT(frechet_distance(a, a).value, 1e-10);
}

TEST(FrechetDistance, SurvivesCovariancesRoundedToFloat32) {
  const Gaussian exact = gaussian_of(normals({20, 64}, 3));  // rank 19: rounding makes it indefinite
  const Gaussian rounded{exact.mean.to(at::kFloat), exact.covariance.to(at::kFloat)};
  EXPECT_LT(frechet_distance(exact, rounded).value, 1e-3);
  EXPECT_LT(frechet_distance(rounded, rounded).value, 1e-4);
}

TEST(FrechetDistance, RefusesStatisticsThatDoNotFit) {
  const Gaussian small = gaussian_of(normals({10, 3}, 1));
  const Gaussian large = gaussian_of(normals({10, 4}, 1));
  EXPECT_THROW(frechet_distance(small, large), ShapeError);
  EXPECT_THROW(frechet_distance({small.mean, large.covariance}, small), ShapeError);
  EXPECT_THROW(frechet_distance({small.mean, small.covariance * at::full({}, NAN)}, small), NumericError);
  EXPECT_THROW(frechet_distance({small.mean, small.covariance.tril()}, small), ShapeError);
  EXPECT_THROW(frechet_distance({small.mean, -small.covariance}, small), NumericError);
}

TEST(GaussianAccumulator, GivesTheSameStatisticsHoweverTheSamplesArrive) {
  const Tensor x = normals({5000, 7}, 5) + 1e6;  // a mean that would cancel in sums of squares
  GaussianAccumulator one_by_one(7), halves(7), other(7), floats(7);
  for (int64_t i = 0; i < 100; ++i) one_by_one.add(x.slice(0, i, i + 1));
  one_by_one.add(x.slice(0, 100));
  halves.add(x.slice(0, 0, 3000));
  other.add(x.slice(0, 3000));
  halves.merge(other);
  const Tensor centred = x - x.mean(0);
  const Tensor covariance = centred.t().mm(centred) / 4999;
  for (const Gaussian& g : {one_by_one.gaussian(), halves.gaussian(), gaussian_of(x)}) {
    EXPECT_EQ(g.count, 5000);
    EXPECT_TENSOR_NEAR(g.mean, x.mean(0), (Tolerance{0, 1e-14}));
    EXPECT_TENSOR_NEAR(g.covariance, covariance, (Tolerance{1e-9, 1e-9}));
  }
}

TEST(GaussianAccumulator, NeedsTwoFiniteSamplesOfOneWidth) {
  GaussianAccumulator accumulator(3);
  accumulator.add(at::ones({1, 3}));
  EXPECT_THROW(accumulator.gaussian(), NumericError);
  EXPECT_THROW(accumulator.add(at::ones({2, 4})), ShapeError);
  EXPECT_THROW(accumulator.add(at::ones({2, 3}, at::kLong)), ShapeError);
  Tensor bad = at::ones({4, 3});
  bad[2][1] = NAN;
  EXPECT_NE(message_of<NumericError>([&] { accumulator.add(bad); }).find("row 2"), std::string::npos);
}

TEST(FrechetInfinity, FindsTheValueThatFiniteSamplesOvershoot) {
  const Tensor x = normals({6000, 16}, 7);
  const Gaussian truth{at::zeros({16}, at::kDouble), at::eye(16, at::kDouble)};
  const FrechetInfinity result = frechet_infinity(x, truth, 500, 12);
  EXPECT_EQ(result.sizes.front(), 500);
  EXPECT_EQ(result.sizes.back(), 6000);
  EXPECT_GT(result.slope, 0);
  EXPECT_LT(std::abs(result.value), result.distances.back());
  EXPECT_THROW(frechet_infinity(x, truth, 6000), UsageError);
}

}  // namespace
}  // namespace sextant::metrics
