#include "sweep/place.h"

#include "common/prompts.h"
#include "drawing/identity.h"
#include "drawing/inputs.h"
#include "internal/evaluation/hash_of.h"
#include "internal/runtime/content_hash.h"
#include "internal/runtime/text.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// The size of the groups in which images depend on each other; 0 where they do not.
int64_t group_of(const SampleConfig& config) {
  switch (coupling_of(config.guidance)) {
    case Coupling::kNone:
      return 0;
    case Coupling::kGroups:
      return config.guidance.guide.tilt_group;
    case Coupling::kBatches:
      return config.sample.batch;
  }
  return 0;
}

ledger::Run with_settings(SampleConfig config) {
  ledger::Run run;
  run.weights = json::object();
  run.versions = json::object();
  run.settings = OptionTable("sample", sample_options(config)).to_json();
  run.folder = fs::weakly_canonical(fs::absolute(config.run.out)).string();
  return run;
}

}  // namespace

SampleConfig with_score(SampleConfig config) {
  config.guidance.guidance = guidance_of(config);
  return config;
}

std::vector<std::string> weights_of(const SampleConfig& config) { return models_of(with_score(config)); }

std::string hash_of_text(const std::string& text) {
  ContentHash hash;
  hash.add(text);
  return hash.digits();
}

std::string hash_of_path(const fs::path& path, ledger::Ledger& ledger) {
  return ledger.hash_of(path, [](const fs::path& file) { return evaluation::hash_of(file); });
}

ledger::Run described_run(const SampleConfig& given, ledger::Ledger& ledger) {
  SampleConfig config = with_score(given);
  config.classifier.prompts = resolved_prompts(std::move(config.classifier.prompts));  // not the name of their file
  ledger::Run run = with_settings(config);
  for (const std::string& path : weights_of(config)) run.weights[path] = hash_of_path(path, ledger);

  json key = identity_of(config);
  // The same weights are the same network wherever they lie, and what an unguided run would guide by changes nothing.
  key["model"].erase("model");
  key["model"].erase("vae");
  key["model"].erase("autoguidance-model");
  key["classifier"].erase("classifier");
  if (config.guidance.none()) {
    key.erase("classifier");
    key["guidance"] = kNoGuidance;
  }
  key["weights"] = json::array();
  for (const std::string& path : weights_of(config)) key["weights"].push_back(run.weights[path]);
  const bool asks = !config.guidance.none() && fs::is_regular_file(config.guidance.attributes);
  if (asks) key["answers"] = hash_of_path(config.guidance.attributes, ledger);
  const int64_t group = group_of(config);
  if (group > 0 && config.sample.count % group != 0) key["count"] = config.sample.count;
  run.key = hash_of_text(key.dump());
  return run;
}

ledger::Run refused_run(const SampleConfig& given, const std::string& why) {
  ledger::Run run = with_settings(with_score(given));
  run.key = hash_of_text("refused " + run.settings.dump());
  run.state = ledger::State::kFailed;
  run.log = why;
  return run;
}

int64_t images_there(const ledger::Run& run) {
  const fs::path samples = fs::path(run.folder) / "samples.npz";
  if (!fs::exists(samples)) return 0;
  try {
    const std::vector<int64_t> shape = checkpoint::NpzReader(samples).shape("arr_0");
    return shape.empty() ? 0 : shape[0];
  } catch (const CheckpointError&) {
    return 0;
  }
}

}  // namespace sextant::commands
