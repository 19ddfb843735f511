#include <map>

#include "internal/commands/sample.h"
#include "internal/runtime/text.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// Settings that have an effect only under a condition.
struct Dependent {
  bool effective;
  std::string why;  ///< "without --tilt", "beside --respacing"
  std::string table;
  std::vector<std::string> keys;
};

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

std::vector<Dependent> dependents(const SampleConfig& c) {
  const samplers::SamplerRow* row = samplers::find(c.sampler.sampler);
  const bool edm = row != nullptr && row->needs == diffusion::Counts::kNoiseLevels;
  std::vector<Dependent> all = {
      {c.sampler.sampler == samplers::sample_ddim, "without --sampler ddim", "sampler", {"eta"}},
      {edm,
       "without an edm sampler",
       "sampler",
       {"discretization", "schedule", "scaling", "sigma-min", "sigma-max", "rho", "churn", "churn-min", "churn-max",
        "churn-noise", "edm-guidance"}},
      {edm && c.sampler.edm.levels.discretization == diffusion::Discretization::kEdm,
       "without --discretization edm",
       "sampler",
       {"rho"}},
      {c.sampler.sampler == samplers::sample_edm_heun, "without --sampler edm-heun", "sampler", {"solver-alpha"}},
      {edm && c.sampler.edm.guidance == samplers::EdmGuidance::kElucd,
       "without --edm-guidance elucd",
       "sampler",
       {"max-guidance", "add-factor"}},
  };
  all.push_back({edm || c.sampler.respacing.empty(), "beside --respacing", "sampler", {"steps"}});
  all.push_back({!edm, "with an edm sampler", "sampler", {"respacing"}});
  const bool autoguided = !c.model.autoguidance_model.empty();
  all.push_back({autoguided, "without --autoguidance-model", "model", {"autoguidance-arch", "autoguidance-scale"}});
  all.push_back({c.model.autoguidance_scale != 1,
                 "without an --autoguidance-scale other than 1",
                 "model",
                 {"autoguidance-model"}});
  all.push_back(
      {autoguided || c.model.cfg_scale != 1, "without --cfg-scale or --autoguidance-model", "model", {"cfg-interval"}});
  all.push_back(
      {autoguided || c.model.cfg_scale != 1, "without --cfg-scale or --autoguidance-model", "model", {"cfg-channels"}});
  all.push_back({!c.model.vae.empty(), "without --vae", "model", {"vae-arch", "vae-precision"}});
  all.push_back({c.run.device.kind != DeviceKind::kCpu, "on a CPU", "sample", {"deterministic"}});
  if (c.guidance.none()) {
    all.push_back(
        {false, "without --guidance", "classifier", {"classifier", "classifier-precision", "prompts", "cutouts"}});
    all.push_back({false, "without --guidance", "guidance", {"scale", "tilt", "entropy-driven", "backward-steps"}});
    for (const auto& [setting, words] : score_settings())
      all.push_back({false, "without --guidance", "guidance", {setting}});
    return all;
  }
  for (const auto& [setting, words] : score_settings()) {
    all.push_back({has_term(c, words), "without --guidance " + joined(words, ", ", " or "), "guidance", {setting}});
  }
  all.push_back({c.guidance.guide.tilt != 0, "without --tilt", "guidance", {"tilt-form", "tilt-group"}});
  all.push_back({c.classifier.cutouts.count > 0, "without --cutouts", "classifier", {"cutout-min"}});
  all.push_back({!c.classifier.prompts.targets.empty(), "without --prompts", "classifier", {"strict", "clip-vocab"}});
  all.push_back({c.guidance.guide.backward_steps > 0, "without --backward-steps", "guidance", {"backward-lr"}});
  // Without one, latent is an error.
  all.push_back({!c.model.vae.empty() || c.guidance.space == GuidanceSpace::kLatent,
                 "without --vae",
                 "guidance",
                 {"guidance-space"}});
  return all;
}

}  // namespace

std::vector<std::string> settings_without_effect(const SampleConfig& given) {
  SampleConfig config = given;
  SampleConfig defaults;
  const json now = OptionTable("sample", sample_options(config)).to_json();
  const json standard = OptionTable("sample", sample_options(defaults)).to_json();
  std::vector<std::string> notes;
  for (const Dependent& dependent : dependents(config)) {
    if (dependent.effective) continue;
    for (const std::string& key : dependent.keys) {
      if (now[dependent.table][key] == standard[dependent.table][key]) continue;
      notes.push_back("note: --" + key + " has no effect " + dependent.why);
    }
  }
  return notes;
}

}  // namespace sextant::commands
