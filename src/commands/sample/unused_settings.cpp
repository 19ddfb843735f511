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
  for (const std::string& term : split(config.guidance, '+')) {
    if (std::find(terms.begin(), terms.end(), term) != terms.end()) return true;
  }
  return false;
}

std::vector<Dependent> dependents(const SampleConfig& c) {
  const bool edm = draws_by_sigma(c.sampler);
  std::vector<Dependent> all = {
      {c.sampler == "ddim", "--sampler ddim", "sampler", {"eta"}},
      {edm,
       "an edm sampler",
       "sampler",
       {"discretization", "schedule", "scaling", "sigma-min", "sigma-max", "rho", "churn", "churn-min", "churn-max",
        "churn-noise", "edm-guidance"}},
      {edm && c.discretization == "edm", "--discretization edm", "sampler", {"rho"}},
      {c.sampler == "edm-heun", "--sampler edm-heun", "sampler", {"solver-alpha"}},
      {edm && c.edm_guidance == "elucd", "--edm-guidance elucd", "sampler", {"max-guidance", "add-factor"}},
  };
  const bool autoguided = !c.guide_model.empty();
  all.push_back({autoguided, "--guide-model", "model", {"guide-arch", "autoguidance-scale"}});
  all.push_back({c.autoguidance_scale != 1, "an --autoguidance-scale other than 1", "model", {"guide-model"}});
  all.push_back({autoguided || c.cfg_scale != 1, "--cfg-scale or --guide-model", "model", {"cfg-interval"}});
  all.push_back({autoguided || c.cfg_scale != 1, "--cfg-scale or --guide-model", "model", {"cfg-channels"}});
  all.push_back({!c.vae.empty(), "--vae", "model", {"vae-arch"}});
  if (c.guidance == "none") {
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
  all.push_back({c.guide.tilt != 0, "--tilt", "guidance", {"tilt-form", "tilt-group"}});
  all.push_back({c.cutouts > 0, "--cutouts", "classifier", {"cutout-min"}});
  all.push_back({!c.prompts.empty(), "--prompts", "classifier", {"strict", "clip-vocab"}});
  all.push_back({c.guide.backward_steps > 0, "--backward-steps", "guidance", {"backward-lr"}});
  // Without one, latent is an error.
  all.push_back({!c.vae.empty() || c.guidance_space == "latent", "--vae", "guidance", {"guidance-space"}});
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
