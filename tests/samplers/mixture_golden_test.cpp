// Whole runs with an exact Gaussian mixture as denoiser and classifier.
#include "samplers/golden_run.h"
#include "samplers/golden_score.h"
#include "sextant/diffusion/mixture.h"

namespace sextant::testing {
namespace {

using diffusion::Mixture;
using guidance::GuideConfig;

diffusion::Process process_of(const Golden& golden) {
  const Tensor map = golden["input/timestep_map"].cpu().contiguous();
  const std::vector<int64_t> kept(map.data_ptr<int64_t>(), map.data_ptr<int64_t>() + map.numel());
  const diffusion::ProcessConfig config = process_config(golden.config());
  diffusion::Respaced respaced = diffusion::respace(diffusion::betas(config.schedule, config.steps), kept);
  return {std::move(respaced.betas), std::move(respaced.timestep_map), config};
}

GuideConfig guide_config(const nlohmann::json& config) {
  GuideConfig guide;
  if (config.at("score").get<std::string>().find("_tilted") != std::string::npos) guide.tilt = config.at("tilt");
  guide.scale = config.at("classifier_scale");
  guide.gamma_factor = config.at("gamma_factor");
  guide.gamma_max = guidance::GammaMax::kElucd;
  return guide;
}

class MixtureRun : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MixtureRun);
INSTANTIATE_TEST_SUITE_P(Golden, MixtureRun, ::testing::ValuesIn(golden_files("math/samplers", "gmm_")), golden_name);

TEST_P(MixtureRun, FollowsTheReferenceStepByStep) {
  const Golden golden(GetParam());
  const auto& config = golden.config();
  const Mixture mixture(input(golden, "weights", at::kDouble), input(golden, "mu", at::kDouble),
                        input(golden, "cov", at::kDouble));
  const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture, process_of(golden));
  std::optional<guidance::Guide> guide;
  if (config.at("score") != "none") {
    guide.emplace(diffusion::mixture_classifier(mixture), score_of(config), guide_config(config));
  }
  guidance::Guide* const steered = guide ? &*guide : nullptr;
  GoldenNoise noise(input(golden, "x_T", at::kDouble), input(golden, "noise", at::kDouble));
  const Tensor labels = golden["input/labels"];
  Recording r;
  samplers::SamplerConfig sampler;
  sampler.eta = config.value("eta", 0.0);
  const auto loop = config.at("method") == "ddim" ? samplers::sample_ddim : samplers::sample_ddpm;
  const Tensor final = loop({denoiser, steered, labels, labels, noise, r.observer()}, sampler);

  const Tolerance tolerance = golden.tolerance("f64");
  EXPECT_TENSOR_NEAR(at::stack(r.x), golden["output/f64/traj"], tolerance);
  EXPECT_TENSOR_NEAR(at::stack(r.x0), golden["output/f64/pred_xstart"], tolerance);
  EXPECT_TRUE(mixture.posterior(final.flatten(1)).argmax(1).cpu().equal(golden["output/f64/final_class"]));
  if (guide) {
    EXPECT_TENSOR_NEAR(r.of(&guidance::Guidance::gradient), golden["output/f64/gradient"], tolerance);
    EXPECT_TENSOR_NEAR(r.of(&guidance::Guidance::score), golden["output/f64/score"], tolerance);
  }
}

}  // namespace
}  // namespace sextant::testing
