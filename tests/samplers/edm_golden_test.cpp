// EDM's sampler, its ablation and EluCD's guidance of it, call by call.
#include "samplers/golden_run.h"
#include "sextant/guidance/score.h"

namespace sextant::testing {
namespace {

using samplers::EdmConfig;

EdmConfig edm_config(const nlohmann::json& config) {
  const std::string discretization = config.value("discretization", "edm");
  const std::string schedule = config.value("schedule", "linear");
  EdmConfig edm;
  edm.levels.discretization = discretization == "vp"      ? diffusion::Discretization::kVp
                              : discretization == "ve"    ? diffusion::Discretization::kVe
                              : discretization == "iddpm" ? diffusion::Discretization::kIddpm
                                                          : diffusion::Discretization::kEdm;
  edm.levels.schedule = schedule == "vp"   ? diffusion::NoiseSchedule::kVp
                        : schedule == "ve" ? diffusion::NoiseSchedule::kVe
                                           : diffusion::NoiseSchedule::kLinear;
  edm.levels.scaling = config.value("scaling", "none") == "vp" ? diffusion::Scaling::kVp : diffusion::Scaling::kNone;
  edm.levels.rho = config.value("rho", 7.0);
  if (config.contains("sigma_min")) edm.levels.sigma_min = config.at("sigma_min").get<double>();
  if (config.contains("sigma_max")) edm.levels.sigma_max = config.at("sigma_max").get<double>();
  edm.alpha = config.value("alpha", 1.0);
  edm.churn = config.value("S_churn", 0.0);
  edm.churn_min = config.value("S_min", 0.0);
  edm.churn_max = config.value("S_max", std::numeric_limits<double>::infinity());
  edm.churn_noise = config.value("S_noise", 1.0);
  edm.guidance = samplers::EdmGuidance::kElucd;
  edm.max_guidance = config.value("max_guidance", 0.0);
  edm.add_factor = config.value("add_factor", 0.0);
  return edm;
}

/// What the denoiser was called with, in order.
struct Calls {
  std::vector<Tensor> x;
  std::vector<double> sigma;
};

Tensor run(const Golden& golden, at::ScalarType type, Calls& calls) {
  const auto& config = golden.config();
  const diffusion::Denoiser denoiser(
      [&calls, model = tiny_sigma_model(golden, type)](const Tensor& x, const Tensor& sigma, const Tensor& y) {
        calls.x.push_back(x);
        calls.sigma.push_back(sigma[0].item<double>());
        return model(x, sigma, y);
      },
      diffusion::SigmaRange{}, golden["input/latents"].sizes().slice(1).vec());
  std::optional<guidance::Guide> guide;
  if (config.value("use_classifier", 0) != 0) {
    guidance::ScoreConfig terms;
    terms.temperatures = {config.at("joint_temperature"), config.at("uncond_temperature")};
    guide.emplace(tiny_classifier(golden, type, /*uses_time=*/false), guidance::named_score("plain", terms));
  }
  GoldenNoise noise(input(golden, "latents", type), input(golden, "noise", type));
  const Tensor labels = golden["input/labels"];
  samplers::SamplerConfig sampler;
  sampler.steps = config.at("num_steps");
  sampler.edm = edm_config(config);
  const auto loop = config.value("solver", "heun") == "heun" ? samplers::sample_edm_heun : samplers::sample_edm_euler;
  return loop({denoiser, guide ? &*guide : nullptr, labels, labels, noise}, sampler);
}

std::vector<std::filesystem::path> edm_loops() {
  std::vector<std::filesystem::path> files;
  for (const char* prefix : {"edm_heun", "edm_ablation", "edm_guided"}) {
    for (const auto& path : golden_files("math/samplers", prefix)) files.push_back(path);
  }
  return files;
}

class EdmSampler : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EdmSampler);
INSTANTIATE_TEST_SUITE_P(Golden, EdmSampler, ::testing::ValuesIn(edm_loops()), golden_name);

TEST_P(EdmSampler, CallsTheDenoiserWhereTheReferenceDoes) {
  const Golden golden(GetParam());
  Tolerance tolerance = golden.tolerance("f64");
  Tolerance tolerance_x = tolerance;
  if (golden.config().value("schedule", "linear") == "vp") {
    // Without churn, too, the reference goes from t to sigma and back, and where the round trip ends a rounding error
    // higher it adds noise for that difference, the square root of one: 1e-8 of sigma. Sextant stays at t.
    tolerance.atol = 1e-6;
    tolerance_x.atol = 1e-7 * golden["output/f64/net_sigma"].max().item<double>();
  }
  Calls calls;
  const Tensor final = run(golden, at::kDouble, calls);
  EXPECT_TENSOR_NEAR(at::tensor(calls.sigma, at::kDouble), golden["output/f64/net_sigma"], tolerance);
  EXPECT_TENSOR_NEAR(at::stack(calls.x), golden["output/f64/net_x"], tolerance_x);
  EXPECT_TENSOR_NEAR(final, golden["output/f64/final"], tolerance);
}

TEST_P(EdmSampler, EndsWhereTheReferenceEndsInFloat32) {
  const Golden golden(GetParam());
  const Tensor& expected = golden[golden.has("output/f32/final") ? "output/f32/final" : "output/f64/final"];
  Calls calls;
  const Tensor final = run(golden, at::kFloat, calls);
  EXPECT_EQ(final.scalar_type(), at::kFloat);
  EXPECT_EQ(calls.x.front().scalar_type(), at::kFloat);
  EXPECT_TENSOR_NEAR(final, expected, golden.tolerance("f32"));
}

}  // namespace
}  // namespace sextant::testing
