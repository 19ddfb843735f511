// DiT and the autoencoder as `sextant sample` draws from them, at tiny size, against their definitions.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "commands/systems.h"
#include "sextant/samplers/samplers.h"

namespace sextant::testing {
namespace {

class LatentModels : public Systems {};

TEST_F(LatentModels, DitDrawsAsItsSampleScriptDoes) {
  // create_diffusion("2"), forward_with_cfg on the first three channels, latents / 0.18215 through the decoder.
  SampleConfig config = latent_model();
  config.model.cfg_scale = 4;
  const Tensor images = draw(config, out());

  const at::NoGradGuard no_grad;
  const models::DiffusionModel model = models::open_diffusion(at("dit"), "", {});
  const diffusion::Model& dit = model.function;
  const diffusion::Model with_cfg = [&](const Tensor& x, const Tensor& t, const Tensor& y) {
    const Tensor conditional = dit(x, t, y);
    const Tensor unconditional = dit(x, t, at::full_like(y, 10));
    const Tensor c = conditional.narrow(1, 0, 3), u = unconditional.narrow(1, 0, 3);
    return at::cat({u + 4 * (c - u), conditional.narrow(1, 3, 5)}, 1);
  };
  diffusion::ProcessConfig process;
  process.respacing = "2";
  process.clip = false;
  Noise noise(0, {0, 1}, {4, 8, 8});
  const Tensor y = at::tensor({3, 1}, at::kLong);
  const diffusion::Denoiser denoiser(with_cfg, diffusion::Process(process), {4, 8, 8});
  const Tensor z = samplers::sample_ddpm({denoiser, nullptr, y, y, noise}, {});
  const Tensor expected = diffusion::to_uint8(open_vae(at("vae"))->decode(z / 0.18215)).permute({0, 2, 3, 1});
  EXPECT_EQ(images.sizes(), (at::IntArrayRef{2, 16, 16, 3}));
  EXPECT_LE(largest_difference(images, expected), 1);
  EXPECT_GT(expected.to(at::kDouble).std().item<double>(), 1);
}

TEST_F(LatentModels, DitIsGuidedClassifierFreeOnThreeChannelsUnlessToldOtherwise) {
  using models::CfgChannels;
  const auto denoised = [&](CfgChannels channels) {
    SampleConfig config = latent_model();
    config.model.cfg_scale = 3;
    config.model.cfg_channels = channels;
    const SamplingModels models = open_models(unguided(config));
    return models.denoiser.predict(latents_of(models), 999, at::tensor({3, 1}, at::kLong)).x0;
  };
  const Tensor by_model = denoised(CfgChannels::kModel), all = denoised(CfgChannels::kAll);
  EXPECT_TRUE(by_model.equal(denoised(CfgChannels::kThree)));
  EXPECT_TRUE(by_model.narrow(1, 0, 3).equal(all.narrow(1, 0, 3)));
  EXPECT_FALSE(by_model.narrow(1, 3, 1).equal(all.narrow(1, 3, 1)));
}

// The original's forward_with_cfg: eps, rest = out[:, :3], out[:, 3:]; eps becomes uncond + scale (cond - uncond).
TEST_F(LatentModels, DitOfFewChannelsIsGuidedOnThoseThatAreThere) {
  for (const int64_t channels : {1, 2, 3, 4}) {
    for (const bool learn_sigma : {true, false}) {
      SCOPED_TRACE(c10::str(channels, " channels, learn_sigma ", learn_sigma));
      nlohmann::json dit = tiny_dit();
      dit["model"]["in_channels"] = channels;
      dit["model"]["learn_sigma"] = dit["diffusion"]["learn_sigma"] = learn_sigma;
      write_model(at("few"), dit);
      write_model(at("few-vae"), tiny_vae(channels));
      SampleConfig config = unguided(latent_model());
      config.model.path = at("few");
      config.model.vae = at("few-vae");
      config.model.cfg_scale = 3;
      const SamplingModels models = open_models(config);
      const Tensor x = latents_of(models), t = at::full({2}, 999, at::kLong), y = at::tensor({3, 1}, at::kLong);
      const diffusion::Model plain = sextant::models::open_diffusion(at("few"), "", {}).function;
      const Tensor cond = plain(x, t, y), uncond = plain(x, t, at::full_like(y, 10));
      const Tensor eps = uncond.slice(1, 0, 3) + 3 * (cond.slice(1, 0, 3) - uncond.slice(1, 0, 3));
      const Tensor expected = at::cat({eps, cond.slice(1, 3)}, 1);
      EXPECT_LT(largest_difference(models.denoiser.model()(x, t, y), expected), 1e-4);
      EXPECT_NO_THROW(draw(config, out()));
    }
  }
}

TEST_F(LatentModels, AClassifierOfImagesReadsTheDecodedLatentsAndItsGradientGoesThroughTheDecoder) {
  const SamplingModels models = open_models(latent_model("resnet"));
  const auto resnet = models::open_classifier({.path = at("resnet")}, {});
  const auto vae = open_vae(at("vae"));
  const Tensor z = latents_of(models);
  EXPECT_LT(largest_difference(models.guide->classifier.logits(z, {}), resnet.logits(vae->decode(z / 0.18215), {})),
            1e-4);

  const auto log_p = [&](const Tensor& latents) {
    return models.guide->classifier.logits(latents, {}).log_softmax(1).select(1, 3).sum();
  };
  const Tensor leaf = z.clone().requires_grad_(true);
  const Tensor gradient = torch::autograd::grad({log_p(leaf)}, {leaf})[0];
  EXPECT_EQ(gradient.sizes(), z.sizes());
  // Along the gradient, where the slope is steepest.
  const at::NoGradGuard no_grad;
  const Tensor direction = gradient / gradient.norm();
  constexpr double kStep = 2e-3;
  const double slope = (log_p(z + kStep * direction) - log_p(z - kStep * direction)).item<double>() / (2 * kStep);
  EXPECT_NEAR(slope, gradient.norm().item<double>(), 0.05 * std::abs(slope));
  EXPECT_GT(std::abs(slope), 1e-4);
}

TEST_F(LatentModels, AClassifierOfLatentsReadsThemAsTheyAre) {
  for (const auto space : {commands::GuidanceSpace::kAuto, commands::GuidanceSpace::kLatent}) {
    SampleConfig config = latent_model("latent-resnet");
    config.guidance.space = space;
    const SamplingModels models = open_models(config);
    const Tensor z = latents_of(models);
    const auto resnet = models::open_classifier({.path = at("latent-resnet")}, {});
    EXPECT_TRUE(models.guide->classifier.logits(z, {}).equal(resnet.logits(z, {}))) << static_cast<int>(space);
  }
  EXPECT_EQ(draw(latent_model("latent-resnet"), out()).sizes(), (at::IntArrayRef{2, 16, 16, 3}));
}

TEST_F(LatentModels, ClassifierFreeAndClassifierGuidanceAddUp) {
  SampleConfig both = latent_model("resnet");
  both.model.cfg_scale = 2;
  both.guidance.guide.scale = 1000;
  SampleConfig guided = both, free = unguided(both);
  guided.model.cfg_scale = 1;
  const Tensor images = draw(both, out());
  EXPECT_GT(largest_difference(images, draw(guided, out())), 1);
  EXPECT_GT(largest_difference(images, draw(free, out())), 1);
}

}  // namespace
}  // namespace sextant::testing
