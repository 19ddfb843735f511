#include "internal/commands/sample.h"
#include "internal/runtime/text.h"
#include "sample/samplers.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// Settings that have an effect only under a condition.
struct Dependent {
  bool effective;
  std::string needs;  ///< what would give them one
  std::string table;
  std::vector<std::string> keys;
};

bool has_term(const SampleConfig& config, const std::vector<std::string>& terms) {
  for (const std::string& term : split(config.guidance.score, '+')) {
    if (std::find(terms.begin(), terms.end(), term) != terms.end()) return true;
  }
  return false;
}

std::vector<Dependent> dependents(const SampleConfig& c) {
  const bool edm = draws_by_sigma(c.sampler.name);
  std::vector<Dependent> all = {
      {c.sampler.name == "ddim", "--sampler ddim", "sampler", {"eta"}},
      {edm,
       "an edm sampler",
       "sampler",
       {"discretization", "schedule", "scaling", "sigma-min", "sigma-max", "rho", "churn", "churn-min", "churn-max",
        "churn-noise", "edm-guidance"}},
      {edm && c.sampler.edm.levels.discretization == diffusion::Discretization::kEdm,
       "--discretization edm",
       "sampler",
       {"rho"}},
      {c.sampler.name == "edm-heun", "--sampler edm-heun", "sampler", {"solver-alpha"}},
      {edm && c.sampler.edm.guidance == samplers::EdmGuidance::kElucd,
       "--edm-guidance elucd",
       "sampler",
       {"max-guidance", "add-factor"}},
  };
  const bool autoguided = !c.model.autoguidance_model.empty();
  all.push_back({autoguided, "--autoguidance-model", "model", {"autoguidance-arch", "autoguidance-scale"}});
  all.push_back(
      {c.model.autoguidance_scale != 1, "an --autoguidance-scale other than 1", "model", {"autoguidance-model"}});
  all.push_back(
      {autoguided || c.model.cfg_scale != 1, "--cfg-scale or --autoguidance-model", "model", {"cfg-interval"}});
  all.push_back(
      {autoguided || c.model.cfg_scale != 1, "--cfg-scale or --autoguidance-model", "model", {"cfg-channels"}});
  all.push_back({!c.model.vae.empty(), "--vae", "model", {"vae-arch"}});
  if (c.guidance.score == "none") {
    all.push_back({false, "--guidance", "classifier", {"classifier", "prompts", "cutouts"}});
    all.push_back({false,
                   "--guidance",
                   "guidance",
                   {"scale", "tilt", "alpha", "lambda-max", "lambda-min", "entropy-driven", "backward-steps"}});
    return all;
  }
  all.push_back(
      {has_term(c, {"rkl", "fkl", "js", "hellinger"}), "a divergence in --guidance", "guidance", {"alpha", "epsilon"}});
  all.push_back({has_term(c, {"js"}), "--guidance js", "guidance", {"js-form"}});
  all.push_back({has_term(c, {"entropy"}), "--guidance entropy", "guidance", {"lambda-max", "lambda-min"}});
  all.push_back({c.guidance.guide.tilt != 0, "--tilt", "guidance", {"tilt-form", "tilt-group"}});
  all.push_back({c.classifier.cutouts > 0, "--cutouts", "classifier", {"cutout-min"}});
  all.push_back({!c.classifier.prompts.empty(), "--prompts", "classifier", {"strict", "clip-vocab"}});
  all.push_back({c.guidance.guide.backward_steps > 0, "--backward-steps", "guidance", {"backward-lr"}});
  // Without one, latent is an error.
  all.push_back(
      {!c.model.vae.empty() || c.guidance.space == GuidanceSpace::kLatent, "--vae", "guidance", {"guidance-space"}});
  return all;
}

}  // namespace

std::vector<std::string> unused_settings(const SampleConfig& given) {
  SampleConfig config = given;
  SampleConfig defaults;
  const json now = OptionTable("sample", sample_options(config)).to_json();
  const json standard = OptionTable("sample", sample_options(defaults)).to_json();
  std::vector<std::string> notes;
  for (const Dependent& dependent : dependents(config)) {
    if (dependent.effective) continue;
    for (const std::string& key : dependent.keys) {
      if (now[dependent.table][key] == standard[dependent.table][key]) continue;
      notes.push_back("note: --" + key + " has no effect without " + dependent.needs);
    }
  }
  return notes;
}

}  // namespace sextant::commands
