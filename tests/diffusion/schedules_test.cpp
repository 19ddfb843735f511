#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "sextant/diffusion/process.h"
#include "sextant/runtime/error.h"
#include "support/golden.h"
#include "support/numbers.h"
#include "support/schedule.h"

namespace sextant::testing {
namespace {

using diffusion::Process;
using diffusion::ProcessConfig;

/// The same process with the fixed large variance.
Process fixed_large(const Process& process) {
  std::vector<double> betas;
  std::vector<int64_t> timesteps;
  for (int64_t t = 0; t < process.num_steps(); ++t) {
    betas.push_back(process.beta(t));
    timesteps.push_back(process.timestep(t));
  }
  ProcessConfig config = process.config();
  config.variance = diffusion::VarianceType::kFixedLarge;
  return {betas, timesteps, config};
}

/// The process's number of a golden output's name at a step.
double number(const Process& p, const Process& large, const std::string& name, int64_t t) {
  const Tensor image = at::zeros({1, 1, 1, 1}, at::kDouble), one = at::ones_like(image);
  const auto predicted = [&] { return large.p_mean_variance(image, image, t); };
  const std::map<std::string, std::function<double()>> numbers = {
      {"betas", [&] { return p.beta(t); }},
      {"alphas_cumprod", [&] { return p.abar(t); }},
      {"alphas_cumprod_prev", [&] { return p.abar_prev(t); }},
      {"alphas_cumprod_next", [&] { return t + 1 < p.num_steps() ? p.abar(t + 1) : 0.0; }},
      {"sqrt_alphas_cumprod", [&] { return p.sqrt_abar(t); }},
      {"sqrt_one_minus_alphas_cumprod", [&] { return p.sqrt_one_minus_abar(t); }},
      {"log_one_minus_alphas_cumprod", [&] { return std::log(1 - p.abar(t)); }},
      {"sqrt_recip_alphas_cumprod", [&] { return p.x0_from_epsilon(one, t, image).item<double>(); }},
      {"sqrt_recipm1_alphas_cumprod", [&] { return -p.x0_from_epsilon(image, t, one).item<double>(); }},
      {"posterior_variance", [&] { return p.posterior_variance(t); }},
      {"posterior_log_variance_clipped", [&] { return p.posterior_log_variance(t, image).item<double>(); }},
      {"posterior_mean_coef1", [&] { return p.posterior_mean_coef1(t); }},
      {"posterior_mean_coef2", [&] { return p.posterior_mean(image, one, t).item<double>(); }},
      {"fixed_large_variance", [&] { return predicted().variance.item<double>(); }},
      {"fixed_large_log_variance", [&] { return predicted().log_variance.item<double>(); }}};
  return numbers.at(name)();
}

/// f at every step.
template <class Number>
std::vector<Number> at_every_step(const Process& process, const std::function<Number(int64_t)>& f) {
  std::vector<Number> values;
  for (int64_t t = 0; t < process.num_steps(); ++t) values.push_back(f(t));
  return values;
}

void expect_arrays(const Process& process, const Golden& golden, Tolerance tolerance) {
  const Process large = fixed_large(process);
  for (const std::string& key : golden.file().tensors.names()) {
    const std::string name = key.substr(key.find('/') + 1);
    if (key.rfind("output/", 0) != 0 || name == "timestep_map" || name == "rescaled_model_timestep") continue;
    EXPECT_TENSOR_NEAR(
        doubles(at_every_step<double>(process, [&](int64_t t) { return number(process, large, name, t); })),
        golden[key], tolerance)
        << name;
  }
}

class NamedSchedule : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NamedSchedule);
INSTANTIATE_TEST_SUITE_P(Linear, NamedSchedule, ::testing::ValuesIn(golden_files("math/schedules", "linear_")),
                         golden_name);
INSTANTIATE_TEST_SUITE_P(Cosine, NamedSchedule, ::testing::ValuesIn(golden_files("math/schedules", "cosine_")),
                         golden_name);

TEST_P(NamedSchedule, HasTheReferencesArrays) {
  const Golden golden(GetParam());
  ProcessConfig config;
  config.schedule = beta_schedule(golden.config().at("schedule"));
  config.steps = golden.config().at("T");
  expect_arrays(Process(config), golden, golden.tolerance());
}

std::vector<std::filesystem::path> spaced_files() {
  std::vector<std::filesystem::path> files = golden_files("math/schedules", "spaced_");
  std::erase_if(files, [](const auto& path) { return path.stem() == "spaced_errors"; });
  return files;
}

/// "10,10,5" from a string or from a list [10, 10, 5].
std::string sections(const nlohmann::json& counts) {
  if (counts.is_string()) return counts;
  std::string text;
  for (const auto& count : counts) text += (text.empty() ? "" : ",") + std::to_string(count.get<int64_t>());
  return text;
}

class SpacedSchedule : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SpacedSchedule);
INSTANTIATE_TEST_SUITE_P(Golden, SpacedSchedule, ::testing::ValuesIn(spaced_files()), golden_name);

TEST_P(SpacedSchedule, KeepsTheReferencesTimestepsAndAlphas) {
  const Golden golden(GetParam());
  const int64_t T = golden.config().at("T");
  const std::vector<int64_t> kept = diffusion::space_timesteps(T, sections(golden.config().at("section_counts")));
  EXPECT_TENSOR_NEAR(at::tensor(kept, at::kLong), golden["output/timestep_map"], Tolerance{});
  if (!golden.has("output/betas")) return;

  ProcessConfig config;
  config.steps = T;
  config.rescale_timesteps = true;
  std::vector<double> base;
  if (golden.has("input/base_betas")) {
    const Tensor betas = golden["input/base_betas"].cpu().contiguous();
    base.assign(betas.data_ptr<double>(), betas.data_ptr<double>() + betas.numel());
  } else {
    base = diffusion::betas(beta_schedule(golden.config().at("schedule")), T);
  }
  const diffusion::Respaced respaced = diffusion::respace(base, kept);
  const Process process(respaced.betas, respaced.timestep_map, config);
  const Tolerance tolerance = golden.tolerance("exact;");
  expect_arrays(process, golden, tolerance);
  if (golden.has("output/rescaled_model_timestep")) {
    const Tensor times = process.model_time(at::arange(process.num_steps()), at::zeros({process.num_steps(), 1, 1, 1}));
    EXPECT_TENSOR_NEAR(times, golden["output/rescaled_model_timestep"], tolerance);
  }
}

TEST(SpacedSchedule, RefusesWhatTheReferenceRefuses) {
  for (const auto& path : golden_files("math/schedules", "spaced_errors")) {
    const Golden golden(path);
    for (const auto& [request, outcome] : golden.config().items()) {
      const std::size_t colon = request.find(':');
      const int64_t T = std::stoll(request.substr(0, colon));
      const std::string wanted = request.substr(colon + 1);
      const std::string expected = outcome;
      if (expected.rfind("ok:", 0) == 0) {
        EXPECT_NO_THROW({
          EXPECT_EQ(diffusion::space_timesteps(T, wanted).size(), std::stoull(expected.substr(3))) << request;
        }) << request;
      } else {
        EXPECT_THROW(diffusion::space_timesteps(T, wanted), UsageError) << request;
      }
    }
  }
}

TEST(SpacedSchedule, SaysWhatItCouldNotDo) {
  try {
    diffusion::space_timesteps(1000, "ddim300");
    FAIL() << "accepted ddim300";
  } catch (const UsageError& error) {
    EXPECT_STREQ(
        error.what(),
        "respacing 'ddim300': no integer stride takes exactly 300 of 1000 steps; use a count (250), counts per "
        "section (10,10,5) or ddimN");
  }
}

TEST(SpacedSchedule, OfAProcessIsThatOfItsConfiguration) {
  ProcessConfig config;
  const Process whole(config);
  for (const char* sections : {"8", "ddim50", "10,10,5", "1000"}) {
    config.respacing = sections;
    const Process spaced(config), again = whole.respaced(sections);
    ASSERT_EQ(again.num_steps(), spaced.num_steps());
    EXPECT_EQ(again.config().respacing, sections);
    for (int64_t t = 0; t < spaced.num_steps(); ++t) {
      EXPECT_EQ(again.timestep(t), spaced.timestep(t));
      EXPECT_EQ(again.beta(t), spaced.beta(t));
    }
  }
}

TEST(Process, RefusesStepsThatThereAreNot) {
  const Process process({});
  for (const int64_t step : {-1, 1000}) {
    EXPECT_THROW(process.abar(step), UsageError);
    EXPECT_THROW(process.timestep(step), UsageError);
  }
}

TEST(SpacedSchedule, OfAllStepsIsTheScheduleItself) {
  ProcessConfig config;
  const Process whole(config);
  config.respacing = "1000";
  const Process spaced(config);
  for (int64_t t = 0; t < 1000; ++t) {
    EXPECT_EQ(spaced.timestep(t), t);
    EXPECT_NEAR(spaced.abar(t) / whole.abar(t), 1, 1e-12);
  }
}

TEST(NamedSchedule, RefusesTooFewLinearSteps) {
  using diffusion::BetaSchedule;
  EXPECT_THROW(diffusion::betas(BetaSchedule::kLinear, 0), UsageError);
  EXPECT_THROW(diffusion::betas(BetaSchedule::kLinear, 19), UsageError);
  EXPECT_NO_THROW(diffusion::betas(BetaSchedule::kLinear, 20));
  EXPECT_NO_THROW(diffusion::betas(BetaSchedule::kCosine, 2));
}

TEST(Process, RefusesBetasThatAreNoProbabilities) {
  const auto process = [](std::vector<double> betas) {
    std::vector<int64_t> map(betas.size());
    return Process(std::move(betas), std::move(map), {});
  };
  EXPECT_THROW(process({}), UsageError);
  EXPECT_THROW(process({0.1, 0.0}), UsageError);
  EXPECT_THROW(process({0.1, 1.1}), UsageError);
  EXPECT_THROW(process({0.1, std::numeric_limits<double>::quiet_NaN()}), UsageError);
  EXPECT_NO_THROW(process({0.1, 1.0}));
}

TEST(Process, GivesNetworksTheOriginalTimestep) {
  ProcessConfig config;
  config.steps = 4000;
  config.schedule = diffusion::BetaSchedule::kCosine;
  config.respacing = "2";
  const Tensor images = at::zeros({3, 1, 1, 1}, at::kDouble);
  const Tensor plain = Process(config).model_time(1, images);
  EXPECT_EQ(plain.scalar_type(), at::kLong);
  EXPECT_TRUE(plain.equal(at::full({3}, 3999, at::kLong)));
  config.rescale_timesteps = true;
  EXPECT_TRUE(Process(config).model_time(1, images).equal(at::full({3}, 999.75, at::kDouble)));
  const Tensor each = at::tensor({1, 0, 1}, at::kLong);
  EXPECT_TRUE(Process(config).model_time(each, images.to(at::kFloat)).equal(at::tensor({999.75F, 0.0F, 999.75F})));
}

}  // namespace
}  // namespace sextant::testing
