// Models, classifiers and settings that do not fit each other.
#include "commands/systems.h"
#include "internal/runtime/text.h"

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
      {changed(edm,
               [](auto& c) { c.sampler.edm.churn = 40, c.sampler.edm.churn_min = 5, c.sampler.edm.churn_max = 1; }),
       "no noise level lies between churn-min 5 and churn-max 1"},
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
  EXPECT_NE(notes("none").find("--marginal-temperature has no effect without --classifier\n"), std::string::npos);
}

/// The settings that a run with these has in vain.
std::string in_vain(const std::vector<std::string>& words) {
  SampleConfig config;
  OptionTable table("sample", commands::sample_options(config));
  for (std::size_t i = 0; i < words.size(); i += 2) table.set(words[i], words[i + 1]);
  std::string all;
  for (const std::string& note : commands::settings_without_effect(config)) all += note + "\n";
  return all;
}

TEST(SettingsWithoutEffect, OfGuidesAreNamedWhereThereIsNone) {
  const std::vector<std::string> words = split(
      "--classifier-input raw --classifier-size 20 --classifier-resize area --classifier-arch a --softplus-beta 3 "
      "--classifier-prefix b --classifier-weights c --classifier-precision bf16 --cutouts 2 --cutout-min 0.5 "
      "--joint-temperature 2 --marginal-temperature 0.5 --alpha 0.3 --gamma-factor 0.7 --gamma-max elucd "
      "--guidance-input xt --guidance-interval 0,0.5 --guidance-space latent --attribute-weights 2 --tilt -0.2 "
      "--tilt-form sum",
      ' ');
  for (std::size_t i = 0; i < words.size(); i += 2) {
    EXPECT_EQ(in_vain({words[i], words[i + 1]}), "note: " + words[i] + " has no effect without --classifier\n");
    const std::string switched_off = in_vain({words[i], words[i + 1], "--classifier", "c", "--guidance", "none"});
    for (const std::string& setting : {words[i], std::string("--classifier")}) {
      EXPECT_NE(switched_off.find("note: " + setting + " has no effect with --guidance none\n"), std::string::npos)
          << setting << ": " << switched_off;
    }
  }
  EXPECT_EQ(in_vain({"--classifier", "c", "--joint-temperature", "2"}), "");
  EXPECT_EQ(in_vain({"--sampler", "edm-heun", "--edm-guidance", "elucd", "--max-guidance", "0.1"}),
            "note: --edm-guidance has no effect without a guide\nnote: --max-guidance has no effect without a guide\n");
}

TEST(SettingsWithoutEffect, OfNetworksThatAreNotThereAreNamed) {
  for (const std::string setting : {"arch", "weights", "prefix"}) {
    EXPECT_EQ(in_vain({"--vae-" + setting, "q"}), "note: --vae-" + setting + " has no effect without --vae\n");
    EXPECT_EQ(in_vain({"--autoguidance-" + setting, "q"}),
              "note: --autoguidance-" + setting + " has no effect without --autoguidance-model\n");
  }
}

TEST(SettingsWithoutEffect, OfChurnAreNamedWhereThereIsNone) {
  EXPECT_EQ(in_vain({"--sampler", "edm-heun", "--churn-min", "1", "--churn-max", "2", "--churn-noise", "2"}),
            "note: --churn-min has no effect without --churn\nnote: --churn-max has no effect without --churn\n"
            "note: --churn-noise has no effect without --churn\n");
  EXPECT_EQ(in_vain({"--sampler", "edm-heun", "--churn", "40", "--churn-min", "1"}), "");
  EXPECT_EQ(in_vain({"--churn-min", "1"}), "note: --churn-min has no effect without an edm sampler\n");
}

TEST(SettingsWithoutEffect, OfTheGuidesStrengthAreNamedWhereItHasNone) {
  EXPECT_EQ(in_vain({"--classifier", "c", "--gamma-max", "elucd"}), "");
  EXPECT_EQ(in_vain({"--classifier", "c", "--gamma-max", "elucd", "--gamma-factor", "0"}),
            "note: --gamma-max has no effect with --gamma-factor 0\n");
  EXPECT_EQ(in_vain({"--classifier", "c", "--gamma-max", "elucd", "--sampler", "ddim"}),
            "note: --gamma-max has no effect without --sampler ddpm\n");
  EXPECT_EQ(in_vain({"--classifier", "c", "--tilt-form", "sum"}), "note: --tilt-form has no effect without --tilt\n");
  const std::vector<std::string> elucd = {"--classifier", "c", "--sampler", "edm-heun", "--edm-guidance", "elucd"};
  for (const auto& [setting, value] : std::vector<std::pair<std::string, std::string>>{
           {"--scale", "2"}, {"--tilt", "-0.2"}, {"--gamma-factor", "0.7"}, {"--entropy-driven", "true"}}) {
    std::vector<std::string> words = elucd;
    words.insert(words.end(), {setting, value});
    EXPECT_NE(in_vain(words).find("note: " + setting + " has no effect with --edm-guidance elucd, which gives each"),
              std::string::npos)
        << in_vain(words);
    words[5] = "score";
    EXPECT_EQ(in_vain(words), "");
  }
}

TEST_F(Misfits, AnIntervalOfNoiseLevelsWithoutAStepIsNamed) {
  SampleConfig config = unguided(edm_model());
  config.model.cfg_scale = 2;
  const auto note = [&](std::optional<Interval> interval) {
    config.model.cfg_interval = interval;
    return commands::idle_interval_note(config, open_models(config).denoiser);
  };
  EXPECT_EQ(note(std::nullopt), "");
  EXPECT_EQ(note(Interval{0, 1}), "");
  EXPECT_EQ(note(Interval{70, 200}), "");
  EXPECT_EQ(note(Interval{100, 200}),
            "note: --cfg-interval has no step in it, the run's noise levels go from 80 to 0.002: --cfg-scale has no "
            "effect");
  EXPECT_NE(note(Interval{0, 0.001}), "");
  // Such notes are true: the images are those without.
  config.model.cfg_interval = Interval{100, 200};
  const Tensor idle = draw(config, out());
  config.model.cfg_interval = Interval{1, 200};
  EXPECT_GT(largest_difference(idle, draw(config, out())), 0);
  EXPECT_TRUE(at::equal(idle, draw(unguided(edm_model()), out())));
  config.sampler.edm.churn = 40;
  EXPECT_EQ(note(Interval{100, 200}), "") << "churn carries a step up there";
}

TEST_F(Misfits, EluCDsFormGivesTheSameImagesWhateverTheStrength) {
  SampleConfig config = edm_model("edm", true);
  config.sampler.edm.guidance = samplers::EdmGuidance::kElucd;
  config.sampler.edm.max_guidance = 0.2;
  const Tensor images = draw(config, out());
  guidance::GuideConfig& guide = config.guidance.guide;
  guide.scale = 2, guide.gamma_factor = 1, guide.tilt = -0.2, guide.entropy_driven = true;
  EXPECT_LE(largest_difference(images, draw(config, out())), 1) << "but for rounding";
}

}  // namespace
}  // namespace sextant::testing
