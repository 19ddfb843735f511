#include "sextant/diffusion/sigma_schedule.h"

#include <cmath>

#include "sextant/runtime/error.h"
#include "support/golden.h"
#include "support/numbers.h"

namespace sextant::testing {
namespace {

using diffusion::SigmaConfig;
using diffusion::SigmaSchedule;

const diffusion::SigmaRange kAnyLevel;

double number_or_zero(const nlohmann::json& value) { return value.is_null() ? 0 : value.get<double>(); }

class EdmSteps : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EdmSteps);
INSTANTIATE_TEST_SUITE_P(Golden, EdmSteps, ::testing::ValuesIn(golden_files("math/schedules", "edm_steps_")),
                         golden_name);

TEST_P(EdmSteps, AgreeWithTheReference) {
  const Golden golden(GetParam());
  const auto& config = golden.config();
  SigmaConfig levels;
  levels.sigma_min = config.at("sigma_min").get<double>();
  levels.sigma_max = config.at("sigma_max").get<double>();
  levels.rho = config.at("rho");
  const diffusion::SigmaRange range{
      config.value("net_sigma_min", 0.0), config.value("net_sigma_max", std::numeric_limits<double>::infinity()), {}};
  const SigmaSchedule schedule(levels, config.at("num_steps"), range);
  EXPECT_TENSOR_NEAR(doubles(schedule.times()), golden["output/t_steps"], golden.tolerance());
}

SigmaConfig ablation_config(const nlohmann::json& config) {
  const std::string discretization = config.at("discretization");
  const std::string schedule = config.at("schedule");
  SigmaConfig levels;
  levels.discretization = discretization == "vp"      ? diffusion::Discretization::kVp
                          : discretization == "ve"    ? diffusion::Discretization::kVe
                          : discretization == "iddpm" ? diffusion::Discretization::kIddpm
                                                      : diffusion::Discretization::kEdm;
  levels.schedule = schedule == "vp"   ? diffusion::NoiseSchedule::kVp
                    : schedule == "ve" ? diffusion::NoiseSchedule::kVe
                                       : diffusion::NoiseSchedule::kLinear;
  levels.sigma_min = number_or_zero(config.at("sigma_min"));
  levels.sigma_max = number_or_zero(config.at("sigma_max"));
  levels.rho = config.at("rho");
  levels.epsilon_s = config.at("epsilon_s");
  levels.c1 = config.at("C_1");
  levels.c2 = config.at("C_2");
  levels.m = config.at("M");
  return levels;
}

/// {beta_d, beta_min} of the VP schedule through both ends of `other`'s range, read off its log(1 + sigma^2(t)) =
/// beta_d t^2/2 + beta_min t at two times.
Tensor vp_betas(SigmaConfig levels, const SigmaSchedule& other) {
  levels.schedule = diffusion::NoiseSchedule::kVp;
  levels.sigma_min = other.sigma_min();
  levels.sigma_max = other.sigma_max();
  const SigmaSchedule schedule(levels, other.num_steps(), kAnyLevel);
  const auto exponent = [&](double t) { return std::log1p(std::pow(schedule.sigma(t), 2)); };
  const double beta_d = 4 * exponent(1) - 8 * exponent(0.5);
  return doubles({beta_d, exponent(1) - beta_d / 2});
}

class AblationSchedule : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AblationSchedule);
INSTANTIATE_TEST_SUITE_P(Golden, AblationSchedule, ::testing::ValuesIn(golden_files("math/schedules", "ablation_")),
                         golden_name);

TEST_P(AblationSchedule, AgreesWithTheReference) {
  const Golden golden(GetParam());
  const SigmaConfig levels = ablation_config(golden.config());
  const SigmaSchedule schedule(levels, golden.config().at("num_steps"), kAnyLevel);
  const Tolerance tolerance = golden.tolerance();
  EXPECT_TENSOR_NEAR(doubles({schedule.sigma_min(), schedule.sigma_max()}), golden["output/sigma_min_max"], tolerance);
  EXPECT_TENSOR_NEAR(vp_betas(levels, schedule), golden["output/vp_beta_d_min"], tolerance);
  std::vector<double> sigmas;
  for (int64_t i = 0; i < schedule.num_steps(); ++i) {
    sigmas.push_back(schedule.sigma(schedule.times()[static_cast<std::size_t>(i)]));
  }
  EXPECT_TENSOR_NEAR(doubles(sigmas), golden["output/sigma_steps"], tolerance);
  EXPECT_TENSOR_NEAR(doubles(schedule.times()), golden["output/t_steps"], tolerance);
  if (golden.has("output/u")) {
    EXPECT_TENSOR_NEAR(doubles(diffusion::iddpm_levels(levels.m, levels.c1, levels.c2)), golden["output/u"], tolerance);
  }
}

TEST_P(AblationSchedule, HasTheDerivativesAndTheInverseOfItsFormulas) {
  const Golden golden(GetParam());
  SigmaConfig levels = ablation_config(golden.config());
  for (const auto scaling : {diffusion::Scaling::kNone, diffusion::Scaling::kVp}) {
    levels.scaling = scaling;
    const SigmaSchedule schedule(levels, golden.config().at("num_steps"), kAnyLevel);
    for (int64_t i = 0; i < schedule.num_steps(); ++i) {
      const double t = schedule.times()[static_cast<std::size_t>(i)];
      const double h = 1e-5 * t;
      const double sigma_slope = (schedule.sigma(t + h) - schedule.sigma(t - h)) / (2 * h);
      const double scale_slope = (schedule.scale(t + h) - schedule.scale(t - h)) / (2 * h);
      EXPECT_NEAR(schedule.sigma_derivative(t) / sigma_slope, 1, 1e-6);
      EXPECT_NEAR(schedule.scale_derivative(t), scale_slope, 1e-6 + 1e-5 * std::abs(scale_slope));
      EXPECT_NEAR(schedule.time_of(schedule.sigma(t)) / t, 1, 1e-12);
    }
  }
}

TEST(SigmaSchedule, RoundsToTheLevelsThatTheDenoiserKnows) {
  const diffusion::SigmaRange whole_numbers{1, 80, [](double sigma) { return std::round(sigma); }};
  const SigmaSchedule schedule({}, 18, whole_numbers);
  for (const double t : schedule.times()) EXPECT_EQ(t, std::round(t));
}

TEST(SigmaSchedule, OfOneStepStartsAtTheNoisiestLevel) {
  for (const auto discretization : {diffusion::Discretization::kVp, diffusion::Discretization::kVe,
                                    diffusion::Discretization::kIddpm, diffusion::Discretization::kEdm}) {
    SigmaConfig levels;
    levels.discretization = discretization;
    const SigmaSchedule schedule(levels, 1, kAnyLevel);
    ASSERT_EQ(schedule.times().size(), 2);
    EXPECT_GT(schedule.times()[0], 75);
    EXPECT_EQ(schedule.times()[1], 0);
  }
}

TEST(SigmaSchedule, RefusesEmptyRanges) {
  SigmaConfig levels;
  EXPECT_THROW(SigmaSchedule(levels, 0, kAnyLevel), UsageError);
  levels.sigma_min = 3;
  EXPECT_THROW(SigmaSchedule(levels, 18, {0, 2, {}}), UsageError);
}

TEST(SigmaSchedule, RefusesARhoThatSpacesNothing) {
  SigmaConfig levels;
  levels.rho = 100;
  EXPECT_NO_THROW(SigmaSchedule(levels, 18, kAnyLevel));
  levels.rho = 0;
  EXPECT_THROW(SigmaSchedule(levels, 18, kAnyLevel), UsageError);
}

TEST(SigmaSchedule, RefusesTablesThatAreNone) {
  const auto refused = [](auto change) {
    SigmaConfig levels;
    levels.discretization = diffusion::Discretization::kIddpm;
    change(levels);
    EXPECT_THROW(SigmaSchedule(levels, 18, kAnyLevel), UsageError);
  };
  refused([](SigmaConfig& levels) { levels.m = -2; });
  refused([](SigmaConfig& levels) { levels.c1 = -1; });
  refused([](SigmaConfig& levels) { levels.c2 = std::nan(""); });
  refused([](SigmaConfig& levels) { levels.epsilon_s = 0; });
  refused([](SigmaConfig& levels) { levels.epsilon_s = 1; });
}

}  // namespace
}  // namespace sextant::testing
