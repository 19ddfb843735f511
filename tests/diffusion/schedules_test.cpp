#include <limits>

#include "sextant/diffusion/process.h"
#include "sextant/runtime/error.h"
#include "support/golden.h"
#include "support/numbers.h"

namespace sextant::testing {
namespace {

using diffusion::Process;
using diffusion::ProcessConfig;

/// The process's array of a golden output's name.
const std::vector<double>& array(const Process& process, const std::string& name) {
  const std::map<std::string, const std::vector<double>*> arrays = {
      {"betas", &process.betas},
      {"alphas_cumprod", &process.alphas_cumprod},
      {"alphas_cumprod_prev", &process.alphas_cumprod_prev},
      {"alphas_cumprod_next", &process.alphas_cumprod_next},
      {"sqrt_alphas_cumprod", &process.sqrt_alphas_cumprod},
      {"sqrt_one_minus_alphas_cumprod", &process.sqrt_one_minus_alphas_cumprod},
      {"log_one_minus_alphas_cumprod", &process.log_one_minus_alphas_cumprod},
      {"sqrt_recip_alphas_cumprod", &process.sqrt_recip_alphas_cumprod},
      {"sqrt_recipm1_alphas_cumprod", &process.sqrt_recipm1_alphas_cumprod},
      {"posterior_variance", &process.posterior_variance},
      {"posterior_log_variance_clipped", &process.posterior_log_variance_clipped},
      {"posterior_mean_coef1", &process.posterior_mean_coef1},
      {"posterior_mean_coef2", &process.posterior_mean_coef2},
      {"fixed_large_variance", &process.fixed_large_variance},
      {"fixed_large_log_variance", &process.fixed_large_log_variance}};
  return *arrays.at(name);
}

void expect_arrays(const Process& process, const Golden& golden, Tolerance tolerance) {
  for (const std::string& key : golden.file().tensors.names()) {
    const std::string name = key.substr(key.find('/') + 1);
    if (key.rfind("output/", 0) != 0 || name == "timestep_map" || name == "rescaled_model_timestep") continue;
    EXPECT_TENSOR_NEAR(doubles(array(process, name)), golden[key], tolerance) << name;
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
  config.schedule = golden.config().at("schedule");
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
    const Tensor betas = golden["input/base_betas"].contiguous();
    base.assign(betas.data_ptr<double>(), betas.data_ptr<double>() + betas.numel());
  } else {
    base = diffusion::named_betas(golden.config().at("schedule"), T);
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
        EXPECT_EQ(diffusion::space_timesteps(T, wanted).size(), std::stoull(expected.substr(3))) << request;
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

TEST(SpacedSchedule, OfAllStepsIsTheScheduleItself) {
  ProcessConfig config;
  const Process whole(config);
  config.respacing = "1000";
  const Process spaced(config);
  EXPECT_EQ(spaced.timestep_map, whole.timestep_map);
  EXPECT_TENSOR_NEAR(doubles(spaced.alphas_cumprod), doubles(whole.alphas_cumprod), (Tolerance{0, 1e-12}));
}

TEST(NamedSchedule, RefusesUnknownNamesAndTooFewLinearSteps) {
  EXPECT_THROW(diffusion::named_betas("lineer", 1000), UsageError);
  EXPECT_THROW(diffusion::named_betas("linear", 0), UsageError);
  EXPECT_THROW(diffusion::named_betas("linear", 19), UsageError);
  EXPECT_NO_THROW(diffusion::named_betas("linear", 20));
  EXPECT_NO_THROW(diffusion::named_betas("cosine", 2));
}

TEST(Process, RefusesBetasThatAreNoProbabilities) {
  const auto process = [](std::vector<double> betas) {
    std::vector<int64_t> map(betas.size());
    return Process(std::move(betas), std::move(map), {});
  };
  EXPECT_THROW(process({0.1}), UsageError);
  EXPECT_THROW(process({0.1, 0.0}), UsageError);
  EXPECT_THROW(process({0.1, 1.1}), UsageError);
  EXPECT_THROW(process({0.1, std::numeric_limits<double>::quiet_NaN()}), UsageError);
  EXPECT_NO_THROW(process({0.1, 1.0}));
}

TEST(Process, GivesNetworksTheOriginalTimestep) {
  ProcessConfig config;
  config.steps = 4000;
  config.schedule = "cosine";
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
