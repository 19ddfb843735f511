#include "sample/identity.h"

#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

Coupling coupling_of(const GuidanceSettings& guidance) {
  if (guidance.score == "none") return Coupling::kNone;
  if (guidance.guide.gamma_max == guidance::GammaMax::kElucd) return Coupling::kBatches;
  if (guidance.guide.tilt == 0) return Coupling::kNone;
  return guidance.guide.tilt_group > 0 ? Coupling::kGroups : Coupling::kBatches;
}

json identity_of(const SampleConfig& given) {
  SampleConfig config = given;
  json settings = OptionTable("sample", sample_options(config)).to_json();
  if (coupling_of(config.guidance) != Coupling::kBatches) settings["sample"].erase("batch");
  for (const char* neutral : {"out", "overwrite", "threads", "quiet"}) settings["sample"].erase(neutral);
  return settings;
}

json identity_of(const json& settings) {
  SampleConfig config;
  try {
    OptionTable("sample", sample_options(config)).merge(settings, "run.json");
  } catch (const UsageError&) {
    return settings;
  }
  return identity_of(config);
}

}  // namespace sextant::commands
