#include <algorithm>
#include <map>

#include "internal/commands/sample.h"
#include "internal/runtime/text.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// Settings of scores, each with the words of those that read it.
std::map<std::string, std::vector<std::string>> score_settings() {
  std::map<std::string, std::vector<std::string>> readers;
  for (const guidance::ScoreTerm& term : guidance::kScoreTerms) {
    for (const char* setting : term.settings) readers[setting].emplace_back(term.word);
  }
  return readers;
}

/// Whether the score holds one of the terms; plain is in all of them.
bool has_term(const SampleConfig& config, const std::vector<std::string>& words) {
  std::vector<std::string> terms = split(config.guidance.guidance, '+');
  terms.emplace_back(guidance::kScoreTerms[0].word);
  return std::find_first_of(terms.begin(), terms.end(), words.begin(), words.end()) != terms.end();
}

bool has_guide(const SampleConfig& config) { return guidance_of(config) != kNoGuidance; }

bool by_noise_levels(const samplers::SamplerConfig& config) {
  const samplers::SamplerRow* row = samplers::find(config.sampler);
  return row != nullptr && row->needs == diffusion::Counts::kNoiseLevels;
}

/// Whether every gradient is stretched to one length.
bool normalises(const samplers::SamplerConfig& config) {
  return by_noise_levels(config) && config.edm.guidance == samplers::EdmGuidance::kElucd;
}

std::vector<Dependent> of_sampler(const SampleConfig& c) {
  const samplers::SamplerConfig& sampler = c.sampler;
  const bool edm = by_noise_levels(sampler);
  return {
      {sampler.sampler == samplers::sample_ddim, "without --sampler ddim", "sampler", {"eta"}},
      {edm,
       "without an edm sampler",
       "sampler",
       {"discretization", "schedule", "scaling", "sigma-min", "sigma-max", "rho", "churn", "churn-min", "churn-max",
        "churn-noise", "edm-guidance"}},
      {edm && sampler.edm.levels.discretization == diffusion::Discretization::kEdm,
       "without --discretization edm",
       "sampler",
       {"rho"}},
      {sampler.edm.churn > 0, "without --churn", "sampler", {"churn-min", "churn-max", "churn-noise"}},
      {sampler.sampler == samplers::sample_edm_heun, "without --sampler edm-heun", "sampler", {"solver-alpha"}},
      {normalises(sampler), "without --edm-guidance elucd", "sampler", {"max-guidance", "add-factor"}},
      {has_guide(c), "without a guide", "sampler", {"edm-guidance", "max-guidance", "add-factor"}},
      {edm || sampler.respacing.empty(), "beside --respacing", "sampler", {"steps"}},
      {!edm, "with an edm sampler", "sampler", {"respacing"}},
  };
}

std::vector<Dependent> of_model(const SampleConfig& c) {
  const bool autoguided = !c.model.autoguidance_model.empty();
  return {
      {autoguided,
       "without --autoguidance-model",
       "model",
       {"autoguidance-arch", "autoguidance-weights", "autoguidance-prefix", "autoguidance-scale"}},
      {c.model.autoguidance_scale != 1,
       "without an --autoguidance-scale other than 1",
       "model",
       {"autoguidance-model"}},
      {autoguided || c.model.cfg_scale != 1,
       "without --cfg-scale or --autoguidance-model",
       "model",
       {"cfg-interval", "cfg-channels"}},
      {!c.model.vae.empty(), "without --vae", "model", {"vae-arch", "vae-weights", "vae-prefix", "vae-precision"}},
      {c.model.denoiser_label < 0 || has_guide(c), "beside --denoiser-label without a guide", "sample", {"labels"}},
      {c.run.device.kind != DeviceKind::kCpu, "on a CPU", "sample", {"deterministic"}},
  };
}

std::vector<Dependent> of_guide(const SampleConfig& c) {
  const guidance::GuideConfig& guide = c.guidance.guide;
  const std::string elucd = "with --edm-guidance elucd, which gives each image's gradient one length";
  std::vector<Dependent> all;
  for (const auto& [setting, words] : score_settings()) {
    all.push_back({has_term(c, words), "without --guidance " + joined(words, ", ", " or "), "guidance", {setting}});
  }
  const std::vector<Dependent> others = {
      {!normalises(c.sampler),
       elucd,
       "guidance",
       {"tilt", "tilt-form", "tilt-group", "entropy-driven", "gamma-factor"}},
      {!normalises(c.sampler) || guide.scale <= 0, elucd + "; only its sign has", "guidance", {"scale"}},
      {guide.tilt != 0, "without --tilt", "guidance", {"tilt-form", "tilt-group"}},
      {c.sampler.sampler == samplers::sample_ddpm, "without --sampler ddpm", "guidance", {"gamma-max"}},
      {guide.gamma_factor > 0, "with --gamma-factor 0", "guidance", {"gamma-max"}},
      {c.classifier.cutouts.count > 0, "without --cutouts", "classifier", {"cutout-min"}},
      {!c.classifier.prompts.targets.empty(), "without --prompts", "classifier", {"strict", "clip-vocab"}},
      {guide.backward_steps > 0, "without --backward-steps", "guidance", {"backward-lr"}},
      // Without one, latent is an error.
      {!c.model.vae.empty() || c.guidance.space == GuidanceSpace::kLatent,
       "without --vae",
       "guidance",
       {"guidance-space"}},
  };
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

/// All settings of the guide where there is none.
std::vector<Dependent> without_guide(const SampleConfig& c, const json& settings) {
  const std::string why = c.classifier.path.empty() ? "without --classifier" : "with --guidance none";
  std::vector<Dependent> all;
  for (const char* table : {"classifier", "guidance"}) {
    Dependent whole{false, why, table, {}};
    for (const auto& [key, value] : settings.at(table).items()) {
      if (key != "guidance") whole.keys.push_back(key);
    }
    all.push_back(std::move(whole));
  }
  return all;
}

}  // namespace

std::vector<std::string> settings_without_effect(const SampleConfig& given,
                                                 const std::optional<std::vector<std::string>>& keys) {
  SampleConfig config = given;
  SampleConfig defaults;
  const json now = OptionTable("sample", sample_options(config)).to_json();
  const json standard = OptionTable("sample", sample_options(defaults)).to_json();
  std::vector<Dependent> all = of_sampler(config);
  for (const std::vector<Dependent>& more :
       {of_model(config), has_guide(config) ? of_guide(config) : without_guide(config, now)}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  std::vector<std::string> notes;
  for (const auto& [key, why] : idle_settings(all, now, standard)) {
    if (keys && std::find(keys->begin(), keys->end(), key) == keys->end()) continue;
    notes.push_back("note: --" + key + " has no effect " + why);
  }
  return notes;
}

}  // namespace sextant::commands
