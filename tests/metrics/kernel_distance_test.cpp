#include "metrics/rule_features.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/numbers.h"

namespace sextant::metrics {
namespace {

using namespace sextant::testing;

Kernel kernel_of(const nlohmann::json& config) {
  Kernel kernel;
  if (config.at("kernel") == "rbf") kernel.kind = Kernel::Kind::kRbf;
  kernel.degree = config.at("degree").get<int>();
  kernel.offset = config.at("coef0").get<double>();
  if (config.at("gamma").is_number()) kernel.gamma = config.at("gamma").get<double>();
  kernel.sigma = config.value("rbf_sigma", kernel.sigma);
  return kernel;
}

class KernelDistanceGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(KernelDistanceGolden, MatchesTorchFidelity) {
  const Golden golden(GetParam());
  const Kernel kernel = kernel_of(golden.config());
  if (has_rule(golden)) {
    const RuleFeatures sets = rule_features(golden);
    const int64_t m = std::min(sets.first.size(0), sets.second.size(0));
    const double mmd = squared_mmd(sets.first.slice(0, 0, m), sets.second.slice(0, 0, m), kernel);
    EXPECT_TENSOR_NEAR(at::tensor({mmd}, at::kDouble), golden["output/mmd2"], golden.tolerance());
    return;
  }
  const Tensor a = golden["input/features1"];
  const Tensor b = golden["input/features2"];
  const KernelDistance result = kernel_distance(a, b, golden["input/subset_indices"], kernel);
  EXPECT_TENSOR_NEAR(result.subsets, golden["output/mmd2"], golden.tolerance());
  EXPECT_TENSOR_NEAR(at::tensor({result.mean, result.standard_deviation}, at::kDouble), golden["output/mean_std"],
                     golden.tolerance());
  const auto m = golden.config().at("m").get<int64_t>();
  EXPECT_TENSOR_NEAR(at::tensor({squared_mmd(a.slice(0, 0, m), b.slice(0, 0, m), kernel)}, at::kDouble),
                     golden["output/mmd2_first_m"], golden.tolerance());
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KernelDistanceGolden);
INSTANTIATE_TEST_SUITE_P(Files, KernelDistanceGolden, ::testing::ValuesIn(golden_files("math/metrics", "kid_")),
                         golden_name);

/// Files whose subsets come from numpy's generator with the default seed.
std::vector<std::filesystem::path> drawn_by_numpy() {
  std::vector<std::filesystem::path> files;
  for (const auto& path : golden_files("math/metrics", "kid_")) {
    if (Golden(path).config().value("indices", "").find("RandomState(2020)") != std::string::npos)
      files.push_back(path);
  }
  return files;
}

class KernelDistanceSubsets : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(KernelDistanceSubsets, AreThoseThatNumpyDraws) {
  const Golden golden(GetParam());
  const Tensor subsets = golden["input/subset_indices"];
  const KernelDistance result = kernel_distance(golden["input/features1"], golden["input/features2"], subsets.size(0),
                                                subsets.size(2), kernel_of(golden.config()));
  EXPECT_TENSOR_NEAR(result.subsets, golden["output/mmd2"], golden.tolerance());
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KernelDistanceSubsets);
INSTANTIATE_TEST_SUITE_P(Files, KernelDistanceSubsets, ::testing::ValuesIn(drawn_by_numpy()), golden_name);

TEST(KernelDistance, OfFloat32FeaturesIsThatOfTheSameFeaturesInFloat64) {
  // Sets whose distance is far below their kernels, about 1.5: float32 products may move the sixth digit.
  const Tensor a = normals({300, 512}, 1).to(at::kFloat);
  const Tensor b = (normals({280, 512}, 2) + 0.2).to(at::kFloat);
  for (const auto kind : {Kernel::Kind::kPolynomial, Kernel::Kind::kRbf}) {
    Kernel kernel;
    kernel.kind = kind;
    const double wide = squared_mmd(a.to(at::kDouble), b.to(at::kDouble), kernel);
    ASSERT_GT(wide, 0.001);
    EXPECT_NEAR(squared_mmd(a, b, kernel), wide, 2e-6 * wide);
  }
}

TEST(KernelDistance, OfOverlappingSubsetsIsThatOfEachAlone) {
  // Forty subsets of 12 of 30 and 25 rows have more pairs than the sets, whose kernels are then computed once.
  const Tensor a = normals({30, 8}, 1), b = normals({25, 8}, 2) + 0.2;
  const Tensor of_a = at::arange(40 * 12).mul(7).remainder(30).view({40, 12});  // each in another order
  const Tensor of_b = at::arange(40 * 12).mul(11).div(3, "floor").remainder(25).view({40, 12});  // some rows twice
  for (const auto kind : {Kernel::Kind::kPolynomial, Kernel::Kind::kRbf}) {
    Kernel kernel;
    kernel.kind = kind;
    kernel.sigma = 3;
    const Tensor together = kernel_distance(a, b, at::stack({of_a, of_b}, 1), kernel).subsets;
    for (int64_t i = 0; i < 40; ++i) {
      const double alone = squared_mmd(a.index_select(0, of_a[i]), b.index_select(0, of_b[i]), kernel);
      EXPECT_NEAR(together[i].item<double>(), alone, 1e-12);
    }
  }
}

TEST(KernelDistance, RefusesIndicesOfRowsThatAreNotThere) {
  const Tensor a = at::rand({5, 3}), b = at::rand({4, 3});
  const auto message = [&](int64_t of_a, int64_t of_b) {
    const Tensor indices = at::tensor(std::vector<int64_t>{0, of_a, 0, of_b}, at::kLong).view({1, 2, 2});
    return message_of<UsageError>([&] { kernel_distance(a, b, indices); });
  };
  EXPECT_EQ(message(4, 3), "");
  EXPECT_NE(message(5, 3).find("first indices: expected 0 to 4, got 5"), std::string::npos);
  EXPECT_NE(message(4, 4).find("second indices: expected 0 to 3, got 4"), std::string::npos);
  EXPECT_NE(message(-1, 3).find("first indices: expected 0 to 4, got -1"), std::string::npos);
  EXPECT_THROW(kernel_distance(a, b, at::zeros({1, 2, 2})), ShapeError);
}

TEST(KernelDistance, RefusesSubsetsLargerThanASet) {
  EXPECT_THROW(kernel_distance(normals({10, 4}, 1), normals({20, 4}, 2), 5, 11), UsageError);
}

TEST(NumpyPermutation, IsThatOfRandomState2020) {
  // numpy.random.RandomState(2020).permutation(10)
  EXPECT_TRUE(at::equal(numpy_permutation(10, 2020), at::tensor({2, 4, 9, 1, 5, 7, 6, 3, 8, 0}, at::kLong)));
}

}  // namespace
}  // namespace sextant::metrics
