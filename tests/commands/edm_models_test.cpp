// EDM and EDM2 as `sextant sample` draws from them, at tiny size, against their definitions.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "commands/systems.h"
#include "internal/guidance/score_terms.h"

namespace sextant::testing {
namespace {

class EdmModels : public Systems {};

TEST_F(EdmModels, EdmIsGuidedAsEluCDsRecipeSays) {
  SampleConfig config = edm_model("edm", true);
  config.classifier.softplus_beta = 5;
  config.guidance.terms.temperatures = {1, 0};
  config.sampler.edm.guidance = samplers::EdmGuidance::kElucd;
  config.sampler.edm.max_guidance = 0.004;
  config.sampler.edm.add_factor = 0.3;
  const Tensor images = draw(config, out());

  // The same by hand: x / max(RMS, 1) into the classifier, the gradient of tau1 f_y rescaled to x's own RMS.
  const models::DiffusionModel model = models::open_diffusion(at("edm"), "", {});
  const auto classifier = models::open_classifier({.path = at("resnet"), .softplus_beta = 5}, {});
  const Tensor y = at::tensor({3, 1}, at::kLong);
  const double levels[] = {80, 0.002, 0};
  Tensor x = Noise(0, {0, 1}, {3, 16, 16}).initial().to(at::kDouble) * 80;
  const auto rms = [](const Tensor& a) { return a.square().mean({1, 2, 3}, true).sqrt(); };
  const auto denoise = [&](const Tensor& noisy, double sigma) {
    const at::NoGradGuard no_grad;
    return model.function(noisy.to(at::kFloat), at::full({2}, sigma), y).to(at::kDouble);
  };
  for (int step = 0; step < 2; ++step) {
    const Tensor seen = (x / rms(x).clamp_min(1)).to(at::kFloat).requires_grad_(true);
    const Tensor f_y = classifier.logits(seen, {}).gather(1, y.unsqueeze(1)).sum();
    const Tensor g = torch::autograd::grad({f_y}, {seen})[0].to(at::kDouble);
    const double strength = std::max(0.004 / 3 * (3 - step), 1e-5) + std::sin(M_PI * step / 2) * 0.004 * 0.3;
    const Tensor x_hat = x + g / rms(g) * rms(x) * strength;
    const double sigma = levels[step], next = levels[step + 1];
    const Tensor slope = (x_hat - denoise(x_hat, sigma)) / sigma;
    x = x_hat + (next - sigma) * slope;
    if (step == 0) x = x_hat + (next - sigma) * 0.5 * (slope + (x - denoise(x, next)) / next);
  }
  const Tensor expected = diffusion::to_uint8(x.to(at::kFloat), diffusion::Rounding::kEdm).permute({0, 2, 3, 1});
  EXPECT_LE(largest_difference(images, expected), 1);
  EXPECT_GT(largest_difference(images, draw(unguided(edm_model()), out())), 1);
}

TEST_F(EdmModels, EdmTakesEveryScoreInBothForms) {
  const Tensor free = draw(unguided(edm_model()), out());
  std::vector<std::string> scores = guidance::score_words();
  scores.push_back("entropy+js");
  for (const auto form : {samplers::EdmGuidance::kScore, samplers::EdmGuidance::kElucd}) {
    for (const std::string& score : scores) {
      SampleConfig config = edm_model("edm", true);
      config.guidance.guidance = score;
      config.guidance.guide.scale = 20;
      config.sampler.edm.guidance = form;
      config.sampler.edm.max_guidance = 0.2;
      EXPECT_GT(largest_difference(draw(config, out()), free), 0) << static_cast<int>(form) << " " << score;
    }
  }
}

TEST_F(EdmModels, EdmTakesEveryChoiceOfTheAblation) {
  using diffusion::Discretization;
  using diffusion::NoiseSchedule;
  using diffusion::Scaling;
  std::vector<Tensor> seen;
  const auto expect_new = [&](const std::string& name, const std::function<void(SampleConfig&)>& change) {
    SampleConfig config = unguided(edm_model());
    change(config);
    const Tensor images = draw(config, out());
    for (const Tensor& other : seen) EXPECT_GT(largest_difference(images, other), 0) << name;
    seen.push_back(images);
  };
  expect_new("edm", [](SampleConfig&) {});
  expect_new("vp", [](SampleConfig& c) {
    c.sampler.edm.levels = {Discretization::kVp, NoiseSchedule::kVp, Scaling::kVp};
  });
  expect_new("ve", [](SampleConfig& c) { c.sampler.edm.levels = {Discretization::kVe, NoiseSchedule::kVe}; });
  expect_new("iddpm", [](SampleConfig& c) { c.sampler.edm.levels.discretization = Discretization::kIddpm; });
  expect_new("euler", [](SampleConfig& c) { c.sampler.sampler = samplers::sample_edm_euler; });
  expect_new("midpoint", [](SampleConfig& c) { c.sampler.edm.alpha = 0.5; });
  expect_new("vp scaling alone", [](SampleConfig& c) { c.sampler.edm.levels.scaling = Scaling::kVp; });
}

TEST_F(EdmModels, Edm2LatentsAreScaledAsItsEncoderScalesThem) {
  SampleConfig config = unguided(edm_model("edm2-latent"));
  config.model.vae = at("vae");
  const SamplingModels models = open_models(config);
  const Tensor z = latents_of(models);
  // final latent = raw 0.5/std - mean 0.5/std; pixels in [0, 1]
  const Tensor scale = 0.5 / at::tensor({4.17, 4.62, 3.71, 3.28}, at::kFloat).view({1, 4, 1, 1});
  const Tensor bias = -at::tensor({5.81, 3.25, 0.12, -2.15}, at::kFloat).view({1, 4, 1, 1}) * scale;
  const Tensor pixels = open_vae(at("vae"))->decode((z - bias) / scale);
  EXPECT_LT(largest_difference(models.decoder->decode(z), 2 * pixels - 1), 1e-4);
  EXPECT_EQ(models.image_shape(), (std::vector<int64_t>{3, 16, 16}));
}

}  // namespace
}  // namespace sextant::testing
