// Models, classifiers and settings that do not fit each other.
#include "commands/systems.h"

namespace sextant::testing {
namespace {

class Misfits : public Systems {};

TEST_F(Misfits, AreRefusedInOneLine) {
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
  adm.model.path = at("adm");
  const std::vector<Mistake> mistakes = {
      {changed(dit, [](auto& c) { c.model.vae.clear(); }),
       "draws latents of 4 channels; give the vae that decodes them"},
      {changed(dit, [](auto& c) { c.model.vae = at("vae3"); }), "give the autoencoder it was trained with"},
      {changed(dit, [](auto& c) { c.model.vae = at("resnet"); }), "is no autoencoder"},
      {changed(adm, [](auto& c) { c.model.vae = at("vae"); }), "it draws images, leave the vae out"},
      {changed(dit, [](auto& c) { c.sampler.respacing = "1"; }),
       "sampler ddpm needs at least 2, the variance of a lone step is undefined; use ddim, dpmpp-2m, dpmpp-2m-sde or"},
      {changed(edm, [](auto& c) { c.sampler.sampler = samplers::sample_ddpm; }),
       "sampler ddpm does not fit a model that counts noise levels; use edm-heun or edm-euler"},
      {changed(dit, [](auto& c) { c.sampler.sampler = samplers::sample_edm_heun; }),
       "use ddpm, ddim, dpmpp-2m, dpmpp-2m-sde or unipc"},
      {changed(edm, [](auto& c) { c.model.autoguidance_model = at("edm2"); }),
       "draws [3, 8, 8], " + at("edm") + " [3, 16, 16]; autoguidance needs two models of one shape"},
      {changed(edm, [](auto& c) { c.model.autoguidance_model = at("adm"); }),
       "autoguidance needs two models of one kind"},
      {changed(edm, [](auto& c) { c.model.autoguidance_model = at("edm-bad"), c.model.cfg_scale = 2; }),
       "use one of them"},
      {changed(edm, [](auto& c) { c.model.autoguidance_model = at("resnet"); }), "is no diffusion model"},
      {changed(edm,
               [](auto& c) {
                 c.model.cfg_scale = 2, c.model.cfg_interval = {4, 1};
               }),
       "--cfg-interval must be LO,HI"},
      {changed(dit,
               [](auto& c) {
                 c.model.cfg_scale = 2, c.model.cfg_interval = {1e6, 1e7};
               }),
       "no timestep with a noise level"},
      {changed(dit, [](auto& c) { c.sampler.sampler = samplers::sample_unipc, c.sampler.recurrence = 2; }),
       "use ddpm or ddim"},
      {changed(latent_model("resnet"), [](auto& c) { c.guidance.space = commands::GuidanceSpace::kLatent; }),
       "takes images of 3 channels"},
      {changed(latent_model("latent-resnet"), [](auto& c) { c.guidance.space = commands::GuidanceSpace::kPixels; }),
       "takes images of 4 channels"},
      {changed(edm_model("edm", true), [](auto& c) { c.guidance.space = commands::GuidanceSpace::kLatent; }),
       "draws images, not latents"},
      {changed(latent_model("resnet"), [](auto& c) { c.guidance.guide.input = guidance::Input::kNoisy; }),
       "give a classifier of latents"},
      {changed(edm_model("edm", true),
               [](auto& c) {
                 c.sampler.edm.guidance = samplers::EdmGuidance::kElucd, c.guidance.guide.backward_steps = 2;
               }),
       "use one of them"},
      {changed(edm_model("edm", true), [](auto& c) { c.classifier.path = at("latent-resnet"); }),
       "takes images of 4 channels"},
  };
  for (const Mistake& mistake : mistakes) {
    const std::string error = refusal(mistake.config, out());
    EXPECT_NE(error.find(mistake.message), std::string::npos) << "expected: " << mistake.message << "\ngot: " << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

TEST_F(Misfits, IncludeGuidingModelsOfOtherClasses) {
  write_model(out().parent_path() / "edm-7", tiny_edm(7));
  SampleConfig config = unguided(edm_model());
  config.model.autoguidance_model = at("edm-7");
  EXPECT_NE(refusal(config, out()).find("has 7 classes, " + at("edm") + " 10"), std::string::npos);
}

TEST(SettingsWithoutEffect, OfModelsAndSamplersAreNamed) {
  const auto notes = [](const std::function<void(SampleConfig&)>& change) {
    SampleConfig config;
    config.guidance.guidance = "none";
    change(config);
    std::string all;
    for (const std::string& note : commands::settings_without_effect(config)) all += note + "\n";
    return all;
  };
  EXPECT_EQ(notes([](auto&) {}), "");
  EXPECT_EQ(notes([](auto& c) { c.sampler.edm.levels.discretization = diffusion::Discretization::kVp; }),
            "note: --discretization has no effect without an edm sampler\n");
  EXPECT_EQ(notes([](auto& c) { c.sampler.sampler = samplers::sample_edm_euler, c.sampler.edm.alpha = 0.5; }),
            "note: --solver-alpha has no effect without --sampler edm-heun\n");
  EXPECT_EQ(notes([](auto& c) {
              c.sampler.sampler = samplers::sample_edm_heun,
              c.sampler.edm.levels.discretization = diffusion::Discretization::kVe, c.sampler.edm.levels.rho = 5;
            }),
            "note: --rho has no effect without --discretization edm\n");
  EXPECT_EQ(notes([](auto& c) { c.sampler.respacing = "10,5", c.sampler.steps = 15; }),
            "note: --steps has no effect beside --respacing\n");
  EXPECT_EQ(notes([](auto& c) { c.sampler.respacing = "10,5"; }), "");
  EXPECT_EQ(notes([](auto& c) { c.sampler.respacing = "5", c.sampler.sampler = samplers::sample_edm_heun; }),
            "note: --respacing has no effect with an edm sampler\n");
  EXPECT_EQ(notes([](auto& c) { c.model.autoguidance_scale = 2; }),
            "note: --autoguidance-scale has no effect without --autoguidance-model\n");
  EXPECT_EQ(notes([](auto& c) { c.model.autoguidance_model = std::string("weaker"); }),
            "note: --autoguidance-model has no effect without an --autoguidance-scale other than 1\n");
  EXPECT_EQ(notes([](auto& c) {
              c.model.cfg_channels = models::CfgChannels::kAll, c.model.cfg_interval = {1, 2};
            }),
            "note: --cfg-interval has no effect without --cfg-scale or --autoguidance-model\n"
            "note: --cfg-channels has no effect without --cfg-scale or --autoguidance-model\n");
}

TEST(UnusedSettings, OfScoresNameTheScoresThatReadThem) {
  const auto notes = [](const std::string& score) {
    SampleConfig config;
    config.guidance.guidance = score;
    config.guidance.terms.temperatures.marginal = 0.5;
    config.guidance.terms.divergence.alpha = 0.3;
    config.guidance.terms.js_form = guidance::JensenShannonForm::kPaper;
    config.guidance.terms.divergence_order = 2;
    config.guidance.terms.lambda_max = 0.3;
    std::string all;
    for (const std::string& note : commands::settings_without_effect(config)) all += note + "\n";
    return all;
  };
  const std::string alpha =
      "note: --alpha has no effect without --guidance rkl, fkl, js, hellinger, chi2 or alpha-div\n";
  const std::string order = "note: --divergence-order has no effect without --guidance alpha-div\n";
  const std::string form = "note: --js-form has no effect without --guidance js\n";
  const std::string lambda = "note: --lambda-max has no effect without --guidance entropy\n";
  EXPECT_EQ(notes("plain"), alpha + order + form + lambda);
  EXPECT_EQ(notes("entropy+chi2"), order + form);
  EXPECT_EQ(notes("js"), order + lambda);
  EXPECT_EQ(notes("alpha-div+js+entropy"), "");
  EXPECT_NE(notes("none").find("--marginal-temperature has no effect without --guidance\n"), std::string::npos);
}

}  // namespace
}  // namespace sextant::testing
