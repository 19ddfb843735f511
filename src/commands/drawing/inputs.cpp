#include "drawing/inputs.h"

#include "internal/evaluation/hash_of.h"
#include "internal/runtime/content_hash.h"
#include "internal/runtime/text.h"
#include "sextant/models/models.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// A model's config.json counts as it reads, not as it is written.
std::string hash_of_settings(const fs::path& folder) {
  ContentHash hash;
  hash.add(models::describe(folder, "").config.dump());
  return named_hash(hash.digits());
}

/// The CSV file of answers, where the settings name one.
std::string answers_of(const SampleConfig& config) {
  std::error_code unknown;
  const std::string& text = config.guidance.attributes;
  return !config.guidance.none() && fs::is_regular_file(text, unknown) ? text : "";
}

std::string hash_of_model(const fs::path& path) {
  if (!fs::is_directory(path)) return named_hash(evaluation::hash_of(path));
  // Beside them a training may keep its state and pictures.
  ContentHash both;
  both.add(hash_of_settings(path));
  both.add(evaluation::hash_of(models::describe(path, "").weights));
  return named_hash(both.digits());
}

}  // namespace

std::vector<std::string> models_of(const SampleConfig& config) {
  std::vector<std::string> paths = {config.model.path};
  if (config.model.autoguidance_scale != 1) paths.push_back(config.model.autoguidance_model);
  paths.push_back(config.model.vae);
  if (!config.guidance.none()) {
    for (const std::string& path : split(config.classifier.path, ',')) paths.push_back(path);
  }
  std::erase(paths, "");
  return paths;
}

json files_of(const SampleConfig& config) {
  json files = json::object();
  for (const std::string& path : models_of(config)) files[path] = fs::exists(path) ? json(hash_of_model(path)) : json();
  if (const std::string answers = answers_of(config); !answers.empty())
    files[answers] = named_hash(evaluation::hash_of(answers));
  return files;
}

bool same_files(const json& former, const json& now) {
  for (const auto& [path, hash] : now.items()) {
    if (!hash.is_null() && (!former.is_object() || former.value(path, json()) != hash)) return false;
  }
  return true;
}

json with_settings_of(const std::vector<std::string>& models, json weights) {
  for (const std::string& path : models) {
    if (!fs::is_directory(path)) continue;
    json entry = {
        {"role", "settings"}, {"file", (fs::path(path) / "config.json").string()}, {"hash", hash_of_settings(path)}};
    if (std::find(weights.begin(), weights.end(), entry) == weights.end()) weights.push_back(std::move(entry));
  }
  return weights;
}

json inputs_of(const SampleConfig& config, json weights) {
  weights = with_settings_of(models_of(config), std::move(weights));
  if (const std::string answers = answers_of(config); !answers.empty()) {
    weights.push_back({{"role", "answers"}, {"file", answers}, {"hash", named_hash(evaluation::hash_of(answers))}});
  }
  return weights;
}

}  // namespace sextant::commands
