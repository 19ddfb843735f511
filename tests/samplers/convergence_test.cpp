// How fast each solver approaches the exact probability flow, which in one dimension keeps quantiles.
#include <gtest/gtest.h>

#include "samplers/toy.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using samplers::EdmConfig;
using samplers::Step;

/// log2 of how much the error shrinks from n to 2n steps.
double observed_order(const std::function<double(int64_t)>& error, int64_t n) {
  return std::log2(error(n) / error(2 * n));
}

// ---- on a discrete process, uniform in the log signal-to-noise ratio ----------------------------------------------

constexpr double kClean = 2.0;
constexpr double kNoisy = -2.0;

struct Solver {
  std::string name;
  samplers::Sampler* run;
  samplers::SamplerConfig config;
  double order;
};

Solver solver(const std::string& name, samplers::Sampler* run, int64_t order, double observed,
              samplers::UniPcForm form = samplers::UniPcForm::kExponential) {
  Solver result{name, run, {}, observed};
  result.config.order = order;
  result.config.unipc_form = form;
  return result;
}

/// The table's samplers that draw no noise with their default settings, and some with others.
std::vector<Solver> solvers() {
  std::vector<Solver> all;
  for (const samplers::SamplerRow& row : samplers::table()) {
    if (row.order == 0 || row.needs != diffusion::Counts::kTimesteps) continue;
    std::string name = row.word;
    std::replace(name.begin(), name.end(), '-', '_');
    all.push_back({name, row.sampler, {}, static_cast<double>(row.order)});
  }
  const auto linear = samplers::UniPcForm::kLinear;
  all.push_back(solver("dpm_solver_1", samplers::sample_dpm_solver, 1, 1));
  all.push_back(solver("unipc_1", samplers::sample_unipc, 1, 2));
  // Its first step, of order 1 and corrected, sets the limit.
  all.push_back(solver("unipc_3", samplers::sample_unipc, 3, 3));
  all.push_back(solver("unipc_2_bh1", samplers::sample_unipc, 2, 3, linear));
  all.push_back(solver("unipc_3_bh1", samplers::sample_unipc, 3, 3, linear));
  return all;
}

/// The largest error at the process's cleanest level, after n steps; the step from there to x_0 is the same for all.
double flow_error(const Solver& solver, int64_t n) {
  const diffusion::Process process = uniform_process(n + 1, kClean, kNoisy);
  const Tensor start = at::linspace(-1.5, 1.5, 7, at::kDouble).view({-1, 1, 1, 1});
  const diffusion::NoiseLevel from = process.level(n), to = process.level(0);
  StartAt noise(start);
  double error = 0;
  const auto observe = [&](const Step& step) {
    if (step.step != 1) return;
    for (int64_t i = 0; i < start.size(0); ++i) {
      const double exact = toy_flow(start[i].item<double>(), from.alpha, from.sigma, to.alpha, to.sigma);
      error = std::max(error, std::abs(step.x[i].item<double>() - exact));
    }
  };
  solver.run({toy_denoiser(process), nullptr, {}, {}, noise, observe}, solver.config);
  return error;
}

class DiscreteSolver : public ::testing::TestWithParam<Solver> {};
INSTANTIATE_TEST_SUITE_P(All, DiscreteSolver, ::testing::ValuesIn(solvers()),
                         [](const auto& info) { return info.param.name; });

TEST_P(DiscreteSolver, ConvergesToTheProbabilityFlowAtItsOrder) {
  const Solver& solver = GetParam();
  const auto error = [&](int64_t n) { return flow_error(solver, n); };
  EXPECT_LT(error(320), 0.02);
  EXPECT_GT(observed_order(error, 160), solver.order - 0.25) << error(160) << " " << error(320);
}

TEST(DiscreteSolver, OfHigherOrderIsBetterAtTwentySteps) {
  const auto error = [](samplers::Sampler* sampler) { return flow_error({"", sampler, {}, 0}, 20); };
  const double second = error(samplers::sample_dpm_solver);
  EXPECT_LT(second, 0.5 * error(samplers::sample_ddim));
  EXPECT_LT(error(samplers::sample_unipc), second);
}

// ---- on noise levels ----------------------------------------------------------------------------------------------

struct EdmCase {
  std::string name;
  EdmConfig config;
  double order;
};

EdmCase edm(const std::string& name, double order, diffusion::NoiseSchedule schedule, diffusion::Scaling scaling,
            double alpha) {
  EdmCase result{name, {}, order};
  result.config.levels.schedule = schedule;
  result.config.levels.scaling = scaling;
  result.config.levels.sigma_min = 0.1;
  result.config.levels.sigma_max = 10;
  result.config.alpha = alpha;
  return result;
}

using diffusion::NoiseSchedule;
using diffusion::Scaling;
const std::vector<EdmCase> kEdmCases = {
    edm("euler", 1, NoiseSchedule::kLinear, Scaling::kNone, 1),
    edm("heun", 2, NoiseSchedule::kLinear, Scaling::kNone, 1),
    edm("heun_ve", 2, NoiseSchedule::kVe, Scaling::kNone, 1),
    edm("heun_vp", 2, NoiseSchedule::kVp, Scaling::kVp, 1),
    edm("midpoint", 2, NoiseSchedule::kLinear, Scaling::kNone, 0.5),
    edm("ralston_vp", 2, NoiseSchedule::kVp, Scaling::kVp, 2.0 / 3),
};

class EdmSolver : public ::testing::TestWithParam<EdmCase> {};
INSTANTIATE_TEST_SUITE_P(All, EdmSolver, ::testing::ValuesIn(kEdmCases),
                         [](const auto& info) { return info.param.name; });

TEST_P(EdmSolver, ConvergesToTheProbabilityFlowAtItsOrder) {
  const diffusion::Denoiser denoiser = toy_sigma_denoiser();
  const Tensor start = at::linspace(-1.5, 1.5, 7, at::kDouble).view({-1, 1, 1, 1});
  const auto error = [&](int64_t n) {
    samplers::SamplerConfig config;
    config.steps = n;
    config.edm = GetParam().config;
    const diffusion::SigmaSchedule schedule(config.edm.levels, n, denoiser.range());
    const double last = schedule.times()[static_cast<std::size_t>(n - 1)];
    StartAt noise(start);
    double worst = 0;
    const auto observe = [&](const Step& step) {
      if (step.step != 1) return;
      for (int64_t i = 0; i < start.size(0); ++i) {
        const double x = schedule.sigma_max() * start[i].item<double>();
        const double exact = toy_flow(x, 1, schedule.sigma_max(), 1, schedule.sigma_min());
        worst = std::max(worst, std::abs(step.x[i].item<double>() / schedule.scale(last) - exact));
      }
    };
    const auto sampler = GetParam().order > 1 ? samplers::sample_edm_heun : samplers::sample_edm_euler;
    sampler({denoiser, nullptr, {}, {}, noise, observe}, config);
    return worst;
  };
  EXPECT_LT(error(160), 0.05);
  EXPECT_GT(observed_order(error, 80), GetParam().order - 0.25) << error(80) << " " << error(160);
}

}  // namespace
}  // namespace sextant::testing
