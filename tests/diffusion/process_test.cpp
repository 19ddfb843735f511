#include "sextant/diffusion/process.h"

#include "samplers/tiny_models.h"
#include "sextant/runtime/error.h"

namespace sextant::testing {
namespace {

using diffusion::Prediction;
using diffusion::Process;

class PMeanVariance : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PMeanVariance);
INSTANTIATE_TEST_SUITE_P(Golden, PMeanVariance, ::testing::ValuesIn(golden_files("math/samplers", "pmv_")),
                         golden_name);

TEST_P(PMeanVariance, AgreesWithTheReferenceInEveryParametrisation) {
  const Golden golden(GetParam());
  const Process process(process_config(golden.config()));
  const Tensor t = golden["input/t"];
  for (const Precision& run : kPrecisions) {
    const Tensor x = input(golden, "x", run.type);
    const Tensor output = tiny_model(golden, run.type)(x, process.model_time(t, x), golden["input/labels"]);
    const Prediction p = process.p_mean_variance(output, x, t);
    EXPECT_EQ(p.mean.scalar_type(), run.type);
    const auto expect = [&](const char* name, const Tensor& actual) {
      EXPECT_TENSOR_NEAR(actual.expand_as(x), golden[std::string("output/") + run.name + "/" + name],
                         golden.tolerance(run.name))
          << run.name << " " << name;
    };
    expect("mean", p.mean);
    expect("variance", p.variance);
    expect("log_variance", p.log_variance);
    expect("pred_xstart", p.x0);
  }
}

TEST_P(PMeanVariance, IsTheSameForABatchAndForOneStepAtATime) {
  const Golden golden(GetParam());
  const Process process(process_config(golden.config()));
  const Tensor t = golden["input/t"];
  const Tensor x = input(golden, "x", at::kDouble);
  const Tensor output = tiny_model(golden, at::kDouble)(x, process.model_time(t, x), golden["input/labels"]);
  const Prediction batch = process.p_mean_variance(output, x, t);
  // A GPU fuses a multiplication with an addition, or not, as the numbers come from memory or with the call.
  const double last_bits = x.is_cpu() ? 0 : 1e-14;
  const auto same = [&](const Tensor& a, const Tensor& b) {
    return testing::tensor_near(a, b, Tolerance{last_bits, last_bits});
  };
  for (int64_t n = 0; n < x.size(0); ++n) {
    const Prediction one = process.p_mean_variance(output.narrow(0, n, 1), x.narrow(0, n, 1), t[n].item<int64_t>());
    EXPECT_TRUE(same(one.mean[0], batch.mean[n]));
    EXPECT_TRUE(same(one.x0[0], batch.x0[n]));
    EXPECT_TRUE(same(one.variance[0], batch.variance[n]));
    EXPECT_TRUE(same(one.log_variance[0], batch.log_variance[n]));
  }
}

/// f at each image's step, ready to combine with `images`.
Tensor at_each(const Tensor& steps, const Tensor& images, const std::function<double(int64_t)>& f) {
  std::vector<double> values;
  for (int64_t n = 0; n < steps.size(0); ++n) values.push_back(f(steps[n].item<int64_t>()));
  return at::tensor(values, at::kDouble).to(images.options()).view({-1, 1, 1, 1});
}

class QSample : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(QSample);
INSTANTIATE_TEST_SUITE_P(Golden, QSample, ::testing::ValuesIn(golden_files("math/samplers", "q_sample_posterior")),
                         golden_name);

TEST_P(QSample, AndItsPosteriorAgreeWithTheReference) {
  const Golden golden(GetParam());
  const Process process(process_config(golden.config()));
  const diffusion::Steps t = golden["input/t"];
  for (const Precision& run : kPrecisions) {
    const Tensor x0 = input(golden, "x0", run.type);
    const Tensor x_t = input(golden, "x_t", run.type);
    const Tensor noise = input(golden, "noise", run.type);
    const auto expect = [&](const char* name, const Tensor& actual) {
      EXPECT_TENSOR_NEAR(actual.expand_as(x0), golden[std::string("output/") + run.name + "/" + name],
                         golden.tolerance(run.name))
          << run.name << " " << name;
    };
    expect("q_sample", process.q_sample(x0, t, noise));
    expect("posterior_mean", process.posterior_mean(x0, x_t, t));
    expect("posterior_variance",
           at_each(golden["input/t"], x0, [&](int64_t step) { return process.posterior_variance(step); }));
    expect("posterior_log_variance", process.posterior_log_variance(t, x0));
    expect("xstart_from_eps", process.x0_from_epsilon(x_t, t, noise));
    expect("eps_from_xstart", process.epsilon_from_x0(x_t, t, x0));
  }
}

TEST(Process, ConvertsBetweenEpsilonAndX0AndBack) {
  const Process process({});
  const Tensor x0 = at::linspace(-1, 1, 48, at::kDouble).view({1, 3, 4, 4});
  const Tensor epsilon = (7 * x0).sin();
  for (const int64_t t : {0, 1, 500, 999}) {
    const Tensor x_t = process.q_sample(x0, t, epsilon);
    EXPECT_TENSOR_NEAR(process.epsilon_from_x0(x_t, t, x0), epsilon, (Tolerance{1e-12, 0}));
    EXPECT_TENSOR_NEAR(process.x0_from_epsilon(x_t, t, epsilon), x0, (Tolerance{1e-12, 0}));
  }
}

TEST(Process, RecoversEpsilonInFloat32WhereHardlyAnySignalIsLeft) {
  diffusion::ProcessConfig config;
  config.schedule = diffusion::BetaSchedule::kCosine;  // abar of the last step is 2e-9
  const Process process(config);
  const Tensor x0 = at::linspace(-1, 1, 48).view({1, 3, 4, 4});
  const Tensor epsilon = (7 * x0).sin();
  const Tensor x_t = process.q_sample(x0, 999, epsilon);
  EXPECT_TENSOR_NEAR(process.epsilon_from_x0(x_t, 999, x0), epsilon, (Tolerance{1e-6, 0}));
}

TEST(Process, RefusesAnOutputOfAnotherShapeNamingBoth) {
  const Process learned_range({});
  const Tensor x = at::zeros({2, 3, 4, 4});
  try {
    learned_range.p_mean_variance(x, x, 0);
    FAIL() << "accepted an output without a variance";
  } catch (const ShapeError& error) {
    EXPECT_NE(std::string(error.what()).find("[2, 6, 4, 4]"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("[2, 3, 4, 4]"), std::string::npos) << error.what();
  }
  EXPECT_THROW(learned_range.q_sample(x, 1000, x), UsageError);
  EXPECT_THROW(learned_range.q_sample(x, at::zeros({3}, at::kLong), x), ShapeError);
  EXPECT_THROW(learned_range.q_sample(x, at::zeros({2}), x), ShapeError) << "steps that are no whole numbers";
  const Tensor one = x.narrow(0, 0, 1);
  EXPECT_THROW(learned_range.q_sample(x, 3, one), ShapeError);
  EXPECT_THROW(learned_range.posterior_mean(x, one, 3), ShapeError);
  EXPECT_THROW(learned_range.x0_from_epsilon(x, 3, one), ShapeError);
  EXPECT_THROW(learned_range.epsilon_from_x0(x, 3, one), ShapeError);
  EXPECT_THROW(learned_range.velocity(x, 3, one), ShapeError);
  EXPECT_THROW(learned_range.x0_from_velocity(x, 3, one), ShapeError);
}

TEST(ToUint8, RoundsAsEachReferenceDoes) {
  for (const auto& path : golden_files("math/samplers", "to_uint8")) {
    const Golden golden(path);
    const Tensor x = input(golden, "x", at::kFloat);
    EXPECT_TENSOR_NEAR(diffusion::to_uint8(x), golden["output/openai"], Tolerance{});
    EXPECT_TENSOR_NEAR(diffusion::to_uint8(x, diffusion::Rounding::kEdm), golden["output/edm"], Tolerance{});
    EXPECT_EQ(diffusion::to_uint8(x).scalar_type(), at::kByte);
  }
}

}  // namespace
}  // namespace sextant::testing
