// Latent models, EDM and EDM2 as `sextant sample` draws from them, at tiny size, against their definitions.
#include <torch/csrc/autograd/autograd.h>

#include "run/cast.h"
#include "run/denoisers.h"
#include "run/filled_model.h"
#include "sextant/models.h"
#include "sextant/noise.h"
#include "sextant/samplers.h"

namespace sextant::testing {
namespace {

using run::Cast;
using run::open_cast;
using run::SampleConfig;

/// One folder of tiny models for the whole suite.
class Systems : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    write_model(*folder_ / "dit", tiny_dit());
    write_model(*folder_ / "dit-bad", tiny_dit(), "bad.");
    write_model(*folder_ / "adm", tiny_adm());
    write_model(*folder_ / "vae", tiny_vae());
    write_model(*folder_ / "vae3", tiny_vae(3));
    write_model(*folder_ / "edm", tiny_edm());
    write_model(*folder_ / "edm-bad", tiny_edm(), "bad.");
    write_model(*folder_ / "edm2", tiny_edm2());
    write_model(*folder_ / "edm2-bad", tiny_edm2(3, 0, 32), "bad.");
    write_model(*folder_ / "resnet", tiny_resnet());
    write_model(*folder_ / "latent-resnet", tiny_resnet(4));
    nlohmann::json latent = tiny_edm2(4);
    latent["latents"] = models::arch_config("edm2-img512-xs").at("latents");
    write_model(*folder_ / "edm2-latent", latent);
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  static std::string at(const std::string& name) { return (*folder_ / name).string(); }
  static std::filesystem::path out() { return *folder_ / "out"; }

  static SampleConfig latent_model(const std::string& classifier = "") {
    SampleConfig config;
    config.model = at("dit");
    config.vae = at("vae");
    config.steps = 2;
    if (!classifier.empty()) {
      config.classifier = at(classifier);
      config.guidance = "plain";
    }
    return config;
  }
  static SampleConfig edm_model(const std::string& model = "edm", bool guided = false) {
    SampleConfig config;
    config.model = at(model);
    config.sampler = "edm-heun";
    config.steps = 2;
    config.rounding = "edm";
    if (guided) {
      config.classifier = at("resnet");
      config.guidance = "plain";
    }
    return config;
  }
  static SampleConfig unguided(SampleConfig config) {
    config.guidance = "none";
    return config;
  }

  /// Standard normals of the shape that the cast's sampler works on.
  static Tensor latents_of(const Cast& cast) { return Noise(4, {0, 1}, cast.sample_shape()).initial(); }

 private:
  static TemporaryFolder* folder_;
};
TemporaryFolder* Systems::folder_ = nullptr;

double largest_difference(const Tensor& a, const Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

std::shared_ptr<const networks::Autoencoder> open_vae(const std::string& path) {
  return std::dynamic_pointer_cast<const networks::Autoencoder>(models::open_network(models::describe(path), {}));
}

// ---- DiT and the autoencoder ----------------------------------------------------------------------------------------

TEST_F(Systems, DitDrawsAsItsSampleScriptDoes) {
  // create_diffusion("2"), forward_with_cfg on the first three channels, latents / 0.18215 through the decoder.
  SampleConfig config = latent_model();
  config.cfg_scale = 4;
  const Tensor images = draw(config, out());

  const at::NoGradGuard no_grad;
  const models::DiffusionModel model = models::open_diffusion(at("dit"), "", {});
  const diffusion::Model dit = model.function();
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
  const Tensor z = samplers::sample_ddpm(diffusion::ModelDenoiser(with_cfg, diffusion::Process(process), {4, 8, 8}),
                                         nullptr, y, y, noise);
  const Tensor expected = diffusion::to_uint8(open_vae(at("vae"))->decode(z / 0.18215)).permute({0, 2, 3, 1});
  EXPECT_EQ(images.sizes(), (at::IntArrayRef{2, 16, 16, 3}));
  EXPECT_LE(largest_difference(images, expected), 1);
  EXPECT_GT(expected.to(at::kDouble).std().item<double>(), 1);
}

TEST_F(Systems, DitIsGuidedClassifierFreeOnThreeChannelsUnlessToldOtherwise) {
  const auto denoised = [&](const std::string& channels) {
    SampleConfig config = latent_model();
    config.cfg_scale = 3;
    config.cfg_channels = channels;
    const Cast cast = open_cast(unguided(config));
    return cast.denoiser->predict(latents_of(cast), 1, at::tensor({3, 1}, at::kLong)).x0;
  };
  const Tensor by_model = denoised("model"), all = denoised("all");
  EXPECT_TRUE(by_model.equal(denoised("3")));
  EXPECT_TRUE(by_model.narrow(1, 0, 3).equal(all.narrow(1, 0, 3)));
  EXPECT_FALSE(by_model.narrow(1, 3, 1).equal(all.narrow(1, 3, 1)));
}

TEST_F(Systems, AClassifierOfImagesReadsTheDecodedLatentsAndItsGradientGoesThroughTheDecoder) {
  const Cast cast = open_cast(latent_model("resnet"));
  const auto resnet = models::open_classifier(at("resnet"), "", {}, {});
  const auto vae = open_vae(at("vae"));
  const Tensor z = latents_of(cast);
  EXPECT_LT(largest_difference(cast.classifier->logits(z, {}), resnet->logits(vae->decode(z / 0.18215), {})), 1e-4);

  const auto log_p = [&](const Tensor& latents) {
    return cast.classifier->logits(latents, {}).log_softmax(1).select(1, 3).sum();
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

TEST_F(Systems, AClassifierOfLatentsReadsThemAsTheyAre) {
  for (const char* space : {"auto", "latent"}) {
    SampleConfig config = latent_model("latent-resnet");
    config.guidance_space = space;
    const Cast cast = open_cast(config);
    const Tensor z = latents_of(cast);
    const auto resnet = models::open_classifier(at("latent-resnet"), "", {}, {});
    EXPECT_TRUE(cast.classifier->logits(z, {}).equal(resnet->logits(z, {}))) << space;
  }
  EXPECT_EQ(draw(latent_model("latent-resnet"), out()).sizes(), (at::IntArrayRef{2, 16, 16, 3}));
}

TEST_F(Systems, ClassifierFreeAndClassifierGuidanceAddUp) {
  SampleConfig both = latent_model("resnet");
  both.cfg_scale = 2;
  both.guide.scale = 1000;
  SampleConfig guided = both, free = unguided(both);
  guided.cfg_scale = 1;
  const Tensor images = draw(both, out());
  EXPECT_GT(largest_difference(images, draw(guided, out())), 1);
  EXPECT_GT(largest_difference(images, draw(free, out())), 1);
}

// ---- EDM ------------------------------------------------------------------------------------------------------------

TEST_F(Systems, EdmIsGuidedAsEluCDsRecipeSays) {
  SampleConfig config = edm_model("edm", true);
  config.softplus_beta = 5;
  config.guide.temperatures = {1, 0};
  config.edm_guidance = "elucd";
  config.max_guidance = 0.004;
  config.add_factor = 0.3;
  const Tensor images = draw(config, out());

  // The same by hand: x / max(RMS, 1) into the classifier, the gradient of tau1 f_y rescaled to x's own RMS.
  const models::DiffusionModel model = models::open_diffusion(at("edm"), "", {});
  models::ClassifierOptions options;
  options.softplus_beta = 5;
  const auto classifier = models::open_classifier(at("resnet"), "", options, {});
  const Tensor y = at::tensor({3, 1}, at::kLong);
  const double levels[] = {80, 0.002, 0};
  Tensor x = Noise(0, {0, 1}, {3, 16, 16}).initial().to(at::kDouble) * 80;
  const auto rms = [](const Tensor& a) { return a.square().mean({1, 2, 3}, true).sqrt(); };
  const auto denoise = [&](const Tensor& noisy, double sigma) {
    const at::NoGradGuard no_grad;
    return model.sigma->denoise(noisy.to(at::kFloat), at::full({2}, sigma), y).to(at::kDouble);
  };
  for (int step = 0; step < 2; ++step) {
    const Tensor seen = (x / rms(x).clamp_min(1)).to(at::kFloat).requires_grad_(true);
    const Tensor f_y = classifier->logits(seen, {}).gather(1, y.unsqueeze(1)).sum();
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

TEST_F(Systems, EdmTakesEveryScoreInBothForms) {
  const Tensor free = draw(unguided(edm_model()), out());
  for (const char* form : {"score", "elucd"}) {
    for (const char* score : {"plain", "entropy", "rkl", "fkl", "js", "hellinger", "entropy+js"}) {
      SampleConfig config = edm_model("edm", true);
      config.guidance = score;
      config.guide.scale = 20;
      config.edm_guidance = form;
      config.max_guidance = 0.2;
      EXPECT_GT(largest_difference(draw(config, out()), free), 0) << form << " " << score;
    }
  }
}

TEST_F(Systems, EdmTakesEveryChoiceOfTheAblation) {
  std::vector<Tensor> seen;
  const auto expect_new = [&](const std::string& name, const std::function<void(SampleConfig&)>& change) {
    SampleConfig config = unguided(edm_model());
    change(config);
    const Tensor images = draw(config, out());
    for (const Tensor& other : seen) EXPECT_GT(largest_difference(images, other), 0) << name;
    seen.push_back(images);
  };
  expect_new("edm", [](SampleConfig&) {});
  expect_new("vp", [](SampleConfig& c) { c.discretization = c.schedule = c.scaling = "vp"; });
  expect_new("ve", [](SampleConfig& c) { c.discretization = c.schedule = "ve"; });
  expect_new("iddpm", [](SampleConfig& c) { c.discretization = "iddpm"; });
  expect_new("euler", [](SampleConfig& c) { c.sampler = "edm-euler"; });
  expect_new("midpoint", [](SampleConfig& c) { c.solver_alpha = 0.5; });
  expect_new("vp scaling alone", [](SampleConfig& c) { c.scaling = "vp"; });
}

// ---- EDM2 -----------------------------------------------------------------------------------------------------------

TEST_F(Systems, Edm2LatentsAreScaledAsItsEncoderScalesThem) {
  SampleConfig config = unguided(edm_model("edm2-latent"));
  config.vae = at("vae");
  const Cast cast = open_cast(config);
  const Tensor z = latents_of(cast);
  // final latent = raw 0.5/std - mean 0.5/std; pixels in [0, 1]
  const Tensor scale = 0.5 / at::tensor({4.17, 4.62, 3.71, 3.28}, at::kFloat).view({1, 4, 1, 1});
  const Tensor bias = -at::tensor({5.81, 3.25, 0.12, -2.15}, at::kFloat).view({1, 4, 1, 1}) * scale;
  const Tensor pixels = open_vae(at("vae"))->decode((z - bias) / scale);
  EXPECT_LT(largest_difference(cast.decode(z), 2 * pixels - 1), 1e-4);
  EXPECT_EQ(cast.image_shape, (std::vector<int64_t>{3, 16, 16}));
}

// ---- autoguidance, intervals ----------------------------------------------------------------------------------------

TEST_F(Systems, AutoguidanceMovesAwayFromTheSecondModelAtNoiseLevels) {
  SampleConfig config = unguided(edm_model("edm2"));
  config.guide_model = at("edm2-bad");
  config.autoguidance_scale = 1.7;
  const Cast cast = open_cast(config);
  const Tensor x = 3 * latents_of(cast);
  const Tensor y = at::tensor({3, 1}, at::kLong);
  const Tensor sigma = at::full({2}, 3.0);
  const Tensor good = models::open_diffusion(at("edm2"), "", {}).sigma->denoise(x, sigma, y);
  const Tensor bad = models::open_diffusion(at("edm2-bad"), "", {}).sigma->denoise(x, sigma);
  EXPECT_LT(largest_difference(cast.sigma_denoiser->denoise(x, 3, y), bad + 1.7 * (good - bad)), 1e-5);
  EXPECT_GT(largest_difference(good, bad), 1e-3);
}

TEST_F(Systems, AutoguidanceMovesAwayFromTheSecondModelAtTimesteps) {
  SampleConfig config = unguided(latent_model());
  config.guide_model = at("dit-bad");
  config.autoguidance_scale = 2;
  config.cfg_channels = "all";
  const Cast cast = open_cast(config);
  const Tensor x = latents_of(cast);
  const Tensor y = at::tensor({3, 1}, at::kLong);
  const Tensor t = at::full({2}, 999, at::kLong);
  const auto epsilon = [&](const char* name) {
    return models::open_diffusion(at(name), "", {}).function()(x, t, y).narrow(1, 0, 4);
  };
  const Tensor expected =
      cast.denoiser->process().x0_from_epsilon(x, 1, epsilon("dit-bad") + 2 * (epsilon("dit") - epsilon("dit-bad")));
  EXPECT_LT(largest_difference(cast.denoiser->predict(x, 1, y).x0 / expected, at::ones_like(expected)), 1e-2);
}

TEST_F(Systems, ExtrapolationIsConfinedToAnIntervalOfNoiseLevels) {
  SampleConfig config = unguided(edm_model());
  config.cfg_scale = 3;
  const Cast everywhere = open_cast(config);
  config.cfg_interval = "0.5,4";
  const Cast inside = open_cast(config);
  config.cfg_scale = 1;
  const Cast plain = open_cast(config);
  const Tensor x = latents_of(plain);
  const Tensor y = at::tensor({3, 1}, at::kLong);
  const auto denoised = [&](const Cast& cast, double sigma) { return cast.sigma_denoiser->denoise(x, sigma, y); };
  EXPECT_TRUE(denoised(inside, 2).equal(denoised(everywhere, 2)));
  EXPECT_FALSE(denoised(inside, 2).equal(denoised(plain, 2)));
  for (const double sigma : {0.1, 40.0}) EXPECT_TRUE(denoised(inside, sigma).equal(denoised(plain, sigma))) << sigma;
}

TEST(TimestepsBetween, AreThoseWithSuchNoiseLevels) {
  for (const bool rescale : {false, true}) {
    diffusion::ProcessConfig config;
    config.steps = 500;
    config.rescale_timesteps = rescale;
    const run::TimeInterval interval = run::timesteps_between(config, 0.3, 5);
    const diffusion::Process process(config);
    const Tensor like = at::zeros({1, 1, 1, 1});
    for (int64_t t = 0; t < 500; ++t) {
      const double abar = process.alphas_cumprod[static_cast<std::size_t>(t)];
      const double sigma = std::sqrt((1 - abar) / abar);
      const double time = process.model_time(t, like).item<double>();
      EXPECT_EQ(0.3 <= sigma && sigma <= 5, interval.low <= time && time <= interval.high) << t;
    }
  }
}

// ---- what does not fit ----------------------------------------------------------------------------------------------

TEST_F(Systems, RefuseWhatDoesNotFitInOneLine) {
  struct Mistake {
    SampleConfig config;
    std::string message;
  };
  const auto changed = [](SampleConfig config, const std::function<void(SampleConfig&)>& change) {
    change(config);
    return config;
  };
  const SampleConfig dit = unguided(latent_model()), edm = unguided(edm_model());
  SampleConfig adm;
  adm.model = at("adm");
  const std::vector<Mistake> mistakes = {
      {changed(dit, [](auto& c) { c.vae.clear(); }), "draws latents of 4 channels; give the --vae that decodes them"},
      {changed(dit, [](auto& c) { c.vae = at("vae3"); }), "give the autoencoder it was trained with"},
      {changed(dit, [](auto& c) { c.vae = at("resnet"); }), "is no autoencoder"},
      {changed(adm, [](auto& c) { c.vae = at("vae"); }), "it draws images, leave --vae out"},
      {changed(edm, [](auto& c) { c.sampler = "ddpm"; }), "it is an EDM model; use edm-heun or edm-euler"},
      {changed(dit, [](auto& c) { c.sampler = "edm-heun"; }), "it predicts noise at discrete timesteps"},
      {changed(edm, [](auto& c) { c.guide_model = at("edm2"); }),
       "draws [3, 8, 8], " + at("edm") + " [3, 16, 16]; autoguidance needs two models of one shape"},
      {changed(edm, [](auto& c) { c.guide_model = at("adm"); }), "autoguidance needs two models of one kind"},
      {changed(edm, [](auto& c) { c.guide_model = at("edm-bad"), c.cfg_scale = 2; }), "use one of them"},
      {changed(edm, [](auto& c) { c.guide_model = at("resnet"); }), "is no diffusion model"},
      {changed(edm, [](auto& c) { c.cfg_scale = 2, c.cfg_interval = "4,1"; }), "--cfg-interval must be LO,HI"},
      {changed(dit, [](auto& c) { c.cfg_scale = 2, c.cfg_interval = "1e6,1e7"; }), "no timestep with a noise level"},
      {changed(dit, [](auto& c) { c.sampler = "unipc", c.recurrence = 2; }), "use ddpm or ddim"},
      {changed(latent_model("resnet"), [](auto& c) { c.guidance_space = "latent"; }), "takes images of 3 channels"},
      {changed(latent_model("latent-resnet"), [](auto& c) { c.guidance_space = "pixels"; }),
       "takes images of 4 channels"},
      {changed(edm_model("edm", true), [](auto& c) { c.guidance_space = "latent"; }), "draws images, not latents"},
      {changed(latent_model("resnet"), [](auto& c) { c.guidance_input = "xt"; }), "give a classifier of latents"},
      {changed(edm_model("edm", true), [](auto& c) { c.edm_guidance = "elucd", c.guide.backward_steps = 2; }),
       "use one of them"},
      {changed(edm_model("edm", true), [](auto& c) { c.classifier = at("latent-resnet"); }),
       "takes images of 4 channels"},
  };
  for (const Mistake& mistake : mistakes) {
    const std::string error = refusal(mistake.config, out());
    EXPECT_NE(error.find(mistake.message), std::string::npos) << "expected: " << mistake.message << "\ngot: " << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

TEST_F(Systems, RefusesAGuidingModelOfOtherClasses) {
  write_model(out().parent_path() / "edm-7", tiny_edm(7));
  SampleConfig config = unguided(edm_model());
  config.guide_model = at("edm-7");
  EXPECT_NE(refusal(config, out()).find("has 7 classes, " + at("edm") + " 10"), std::string::npos);
}

TEST(UnusedSettings, OfModelsAndSamplersAreNamed) {
  const auto notes = [](const std::function<void(SampleConfig&)>& change) {
    SampleConfig config;
    config.guidance = "none";
    change(config);
    std::string all;
    for (const std::string& note : run::unused_settings(config)) all += note + "\n";
    return all;
  };
  EXPECT_EQ(notes([](auto&) {}), "");
  EXPECT_EQ(notes([](auto& c) { c.discretization = "vp"; }),
            "note: --discretization has no effect without an edm sampler\n");
  EXPECT_EQ(notes([](auto& c) { c.sampler = "edm-euler", c.solver_alpha = 0.5; }),
            "note: --solver-alpha has no effect without --sampler edm-heun\n");
  EXPECT_EQ(notes([](auto& c) { c.sampler = "edm-heun", c.discretization = "ve", c.rho = 5; }),
            "note: --rho has no effect without --discretization edm\n");
  EXPECT_EQ(notes([](auto& c) { c.autoguidance_scale = 2; }),
            "note: --autoguidance-scale has no effect without --guide-model\n");
  EXPECT_EQ(notes([](auto& c) { c.guide_model = std::string("weaker"); }),
            "note: --guide-model has no effect without an --autoguidance-scale other than 1\n");
  EXPECT_EQ(notes([](auto& c) { c.cfg_channels = "all", c.cfg_interval = "1,2"; }),
            "note: --cfg-interval has no effect without --cfg-scale or --guide-model\n"
            "note: --cfg-channels has no effect without --cfg-scale or --guide-model\n");
}

}  // namespace
}  // namespace sextant::testing
