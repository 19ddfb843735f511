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

// ---- on a discrete process, uniform in the log signal-to-noise ratio
// -------------------------------------------------

constexpr double kClean = 2.0;
constexpr double kNoisy = -2.0;

struct Solver {
  std::string name;
  std::function<void(const diffusion::Denoiser&, Noise&, const samplers::StepObserver&)> run;
  double order;
};

Solver dpm(const std::string& name, int order) {
  return {name,
          [order](const diffusion::Denoiser& denoiser, Noise& noise, const samplers::StepObserver& observe) {
            samplers::sample_dpm_solver(denoiser, nullptr, {}, {}, noise, {order, false}, observe);
          },
          static_cast<double>(order)};
}

Solver unipc(const std::string& name, int order, bool exponential, double observed) {
  return {name,
          [=](const diffusion::Denoiser& denoiser, Noise& noise, const samplers::StepObserver& observe) {
            samplers::sample_unipc(denoiser, nullptr, {}, {}, noise, {order, exponential}, observe);
          },
          observed};
}

const std::vector<Solver> kSolvers = {
    {"ddim",
     [](const diffusion::Denoiser& denoiser, Noise& noise, const samplers::StepObserver& observe) {
       samplers::sample_ddim(denoiser, nullptr, {}, {}, noise, 0, observe);
     },
     1},
    dpm("dpm_solver_1", 1),
    dpm("dpm_solver_2m", 2),
    unipc("unipc_1", 1, true, 2),
    unipc("unipc_2", 2, true, 3),
    unipc("unipc_3", 3, true, 3),  // its first step, of order 1 and corrected, sets the limit
    unipc("unipc_2_bh1", 2, false, 3),
    unipc("unipc_3_bh1", 3, false, 3),
};

/// The largest error at the process's cleanest level, after n steps; the step from there to x_0 is the same for all.
double flow_error(const Solver& solver, int64_t n) {
  const diffusion::Process process = uniform_process(n + 1, kClean, kNoisy);
  const ToyDenoiser denoiser(process);
  const Tensor start = at::linspace(-1.5, 1.5, 7, at::kDouble).view({-1, 1, 1, 1});
  StartAt noise(start);
  double error = 0;
  solver.run(denoiser, noise, [&](const Step& step) {
    if (step.step != 1) return;
    for (int64_t i = 0; i < start.size(0); ++i) {
      const double exact = toy_flow(start[i].item<double>(), process.sqrt_alphas_cumprod.back(),
                                    process.sqrt_one_minus_alphas_cumprod.back(), process.sqrt_alphas_cumprod[0],
                                    process.sqrt_one_minus_alphas_cumprod[0]);
      error = std::max(error, std::abs(step.x[i].item<double>() - exact));
    }
  });
  return error;
}

class DiscreteSolver : public ::testing::TestWithParam<Solver> {};
INSTANTIATE_TEST_SUITE_P(All, DiscreteSolver, ::testing::ValuesIn(kSolvers),
                         [](const auto& info) { return info.param.name; });

TEST_P(DiscreteSolver, ConvergesToTheProbabilityFlowAtItsOrder) {
  const Solver& solver = GetParam();
  const auto error = [&](int64_t n) { return flow_error(solver, n); };
  EXPECT_LT(error(320), 0.02);
  EXPECT_GT(observed_order(error, 160), solver.order - 0.25) << error(160) << " " << error(320);
}

TEST(DiscreteSolver, OfHigherOrderIsBetterAtTwentySteps) {
  const auto error = [](std::size_t solver) { return flow_error(kSolvers[solver], 20); };
  EXPECT_LT(error(2), 0.5 * error(0)) << "DPM-Solver++(2M) against DDIM";
  EXPECT_LT(error(4), error(2)) << "UniPC against DPM-Solver++(2M)";
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
  result.config.heun = order > 1;
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
  const ToySigmaDenoiser denoiser;
  const Tensor start = at::linspace(-1.5, 1.5, 7, at::kDouble).view({-1, 1, 1, 1});
  const auto error = [&](int64_t n) {
    EdmConfig config = GetParam().config;
    config.levels.steps = n;
    const diffusion::SigmaSchedule schedule(config.levels, denoiser);
    const double last = schedule.times()[static_cast<std::size_t>(n - 1)];
    StartAt noise(start);
    double worst = 0;
    samplers::sample_edm(denoiser, nullptr, {}, {}, noise, config, [&](const Step& step) {
      if (step.step != 1) return;
      for (int64_t i = 0; i < start.size(0); ++i) {
        const double x = schedule.sigma_max() * start[i].item<double>();
        const double exact = toy_flow(x, 1, schedule.sigma_max(), 1, schedule.sigma_min());
        worst = std::max(worst, std::abs(step.x[i].item<double>() / schedule.scale(last) - exact));
      }
    });
    return worst;
  };
  EXPECT_LT(error(160), 0.05);
  EXPECT_GT(observed_order(error, 80), GetParam().order - 0.25) << error(80) << " " << error(160);
}

}  // namespace
}  // namespace sextant::testing
