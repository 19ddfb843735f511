#include "drawing/identity.h"

#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

Coupling coupling_of(const GuidanceSettings& guidance) {
  if (guidance.none()) return Coupling::kNone;
  if (guidance.guide.gamma_max == guidance::GammaMax::kElucd) return Coupling::kBatches;
  if (guidance.guide.tilt == 0) return Coupling::kNone;
  return guidance.guide.tilt_group > 0 ? Coupling::kGroups : Coupling::kBatches;
}

std::string lone_tilt_note(const SampleConfig& config) {
  const guidance::GuideConfig& guide = config.guidance.guide;
  if (config.guidance.none() || guide.tilt == 0) return "";
  const int64_t group = guide.tilt_group > 0 ? guide.tilt_group : config.sample.batch;
  const int64_t count = config.sample.count;
  if (group == 1 || count == 1) {
    return "note: --tilt weighs images of a group by each other, and here each is alone in its group: plain guidance; "
           "give a larger " +
           std::string(count == 1             ? "--count"
                       : guide.tilt_group > 0 ? "--tilt-group"
                                              : "--batch");
  }
  if (count % group != 1) return "";
  return "note: the last image is alone in its --tilt group of " + std::to_string(group) +
         ": plain guidance for it; give a --count that is a multiple of it";
}

namespace {

/// "models/a" of "./models//a/"; several paths, with commas between, as they are.
std::string plain(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  return path.find(',') != path.npos ? path : (normal.has_filename() ? normal : normal.parent_path()).string();
}

}  // namespace

json identity_of(const SampleConfig& given) {
  SampleConfig config = given;
  json settings = OptionTable("sample", sample_options(config)).to_json();
  if (coupling_of(config.guidance) != Coupling::kBatches) settings["sample"].erase("batch");
  for (const char* neutral : {"count", "out", "overwrite", "threads", "quiet"}) settings["sample"].erase(neutral);
  settings.erase("share");
  for (const auto& [section, entry] :
       {std::pair("model", "model"), {"model", "vae"}, {"model", "autoguidance-model"}, {"classifier", "classifier"}}) {
    json& path = settings[section][entry];
    if (path.is_string()) path = plain(path.get<std::string>());
  }
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
