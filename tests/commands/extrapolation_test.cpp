// Autoguidance and intervals of noise levels, as `sextant sample` sets them up.
#include "commands/systems.h"

namespace sextant::testing {
namespace {

class Extrapolation : public Systems {};

TEST_F(Extrapolation, AutoguidanceMovesAwayFromTheSecondModelAtNoiseLevels) {
  SampleConfig config = unguided(edm_model("edm2"));
  config.model.autoguidance_model = at("edm2-bad");
  config.model.autoguidance_scale = 1.7;
  const SamplingModels models = open_models(config);
  const Tensor x = 3 * latents_of(models);
  const Tensor y = at::tensor({3, 1}, at::kLong);
  const Tensor sigma = at::full({2}, 3.0);
  const Tensor good = models::open_diffusion(at("edm2"), "", {}).function(x, sigma, y);
  const Tensor bad = models::open_diffusion(at("edm2-bad"), "", {}).function(x, sigma, {});
  EXPECT_LT(largest_difference(models.denoiser.denoise(x, 3, y), bad + 1.7 * (good - bad)), 1e-5);
  EXPECT_GT(largest_difference(good, bad), 1e-3);
}

TEST_F(Extrapolation, AutoguidanceMovesAwayFromTheSecondModelAtTimesteps) {
  SampleConfig config = unguided(latent_model());
  config.model.autoguidance_model = at("dit-bad");
  config.model.autoguidance_scale = 2;
  config.model.cfg_channels = models::CfgChannels::kAll;
  const SamplingModels models = open_models(config);
  const Tensor x = latents_of(models);
  const Tensor y = at::tensor({3, 1}, at::kLong);
  const Tensor t = at::full({2}, 999, at::kLong);
  const auto epsilon = [&](const char* name) {
    return models::open_diffusion(at(name), "", {}).function(x, t, y).narrow(1, 0, 4);
  };
  const Tensor expected =
      models.denoiser.process().x0_from_epsilon(x, 999, epsilon("dit-bad") + 2 * (epsilon("dit") - epsilon("dit-bad")));
  EXPECT_LT(largest_difference(models.denoiser.predict(x, 999, y).x0 / expected, at::ones_like(expected)), 1e-2);
}

TEST_F(Extrapolation, ExtrapolationIsConfinedToAnIntervalOfNoiseLevels) {
  SampleConfig config = unguided(edm_model());
  config.model.cfg_scale = 3;
  const SamplingModels everywhere = open_models(config);
  config.model.cfg_interval = {0.5, 4};
  const SamplingModels inside = open_models(config);
  config.model.cfg_scale = 1;
  const SamplingModels plain = open_models(config);
  const Tensor x = latents_of(plain);
  const Tensor y = at::tensor({3, 1}, at::kLong);
  const auto denoised = [&](const SamplingModels& models, double sigma) {
    return models.denoiser.denoise(x, sigma, y);
  };
  EXPECT_TRUE(denoised(inside, 2).equal(denoised(everywhere, 2)));
  EXPECT_FALSE(denoised(inside, 2).equal(denoised(plain, 2)));
  for (const double sigma : {0.1, 40.0}) EXPECT_TRUE(denoised(inside, sigma).equal(denoised(plain, sigma))) << sigma;
}

}  // namespace
}  // namespace sextant::testing
