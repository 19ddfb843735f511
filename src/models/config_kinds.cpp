#include "config_kinds.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "internal/models/mixture.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

using nlohmann::json;

namespace {

using Names = std::vector<std::string>;

bool holds(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether `key` is `meant` with one letter too many, too few or another, or two neighbours swapped.
bool is_slip(std::string_view key, std::string_view meant) {
  while (!key.empty() && !meant.empty() && key.front() == meant.front()) {
    key.remove_prefix(1);
    meant.remove_prefix(1);
  }
  while (!key.empty() && !meant.empty() && key.back() == meant.back()) {
    key.remove_suffix(1);
    meant.remove_suffix(1);
  }
  const std::size_t longer = std::max(key.size(), meant.size());
  if (longer == 1) return true;
  return longer == 2 && key.size() == meant.size() && key[0] == meant[1] && key[1] == meant[0];
}

/// CheckpointError for an entry of `object` that is none of `known`.
void check_all_known(const json& object, const std::string& place, const Names& known) {
  for (const auto& [key, value] : object.items()) {
    if (holds(known, key)) continue;
    throw CheckpointError(place + " has an unknown entry '" + key + "'; there are " + joined(known, ", ", " and ") +
                          "." + did_you_mean(key, known));
  }
}

}  // namespace

void check_kinds(const json& config, const std::string& source) {
  const auto check = [&](const char* place, const char* kind, bool (json::*is)() const noexcept) {
    const json::json_pointer entry(place);
    if (!config.contains(entry) || (config.at(entry).*is)()) return;
    throw CheckpointError(source + ": \"" + std::string(place).substr(1) + "\" is not " + kind + ": " +
                          config.at(entry).dump().substr(0, 80));
  };
  check("/type", "a text", &json::is_string);
  for (const char* object : {"/model", "/diffusion", "/input"}) check(object, "an object", &json::is_object);
  for (const char* number :
       {"/null_label", "/model/in_channels", "/model/image_size", "/input/size", "/input/resized_to"}) {
    check(number, "a whole number", &json::is_number_integer);
  }
  // None is how guided-diffusion writes a network without classes.
  const json::json_pointer classes("/model/num_classes");
  if (!config.contains(classes) || !config.at(classes).is_null()) {
    check("/model/num_classes", "a whole number", &json::is_number_integer);
  }
}

void check_entries(const json& config, const std::string& source) {
  // loss_type is a remark on the training that guided-diffusion's settings have among these.
  static const std::vector<std::pair<const char*, Names>> kWhole = {
      {"diffusion",
       {"steps", "noise_schedule", "predict", "learn_sigma", "model_var_type", "rescale_timesteps", "clip",
        "loss_type"}},
      {"input", {"range", "mean", "std", "size", "resized_to", "resize"}}};
  for (const auto& [name, known] : kWhole) {
    if (config.contains(name) && config[name].is_object())
      check_all_known(config[name], source + ": \"" + name + "\"", known);
  }
  if (is_mixture(config)) {
    const Names read = {"type", "model", "diffusion", "classes", "id2label", "calibration"};
    const Names remarks = {"summary", "source", "licence", "license", "training", "measured", "reference"};
    for (const auto& [key, value] : config.items()) {
      if (holds(read, key) || holds(remarks, key)) continue;
      const bool inside = holds({"means", "covariances", "weights"}, key);
      throw CheckpointError(source + ": unknown entry '" + key + "'; a mixture has " + joined(read, ", ", " and ") +
                            ", and remarks such as summary." +
                            (inside ? " It belongs in \"model\"" : did_you_mean(key, read)));
    }
    return;
  }
  static const Names kRead = {"type",     "model", "weights",     "weights_group", "prefix",     "classes", "id2label",
                              "predicts", "input", "calibration", "diffusion",     "null_label", "latents"};
  for (const auto& [key, value] : config.items()) {
    if (holds(kRead, key)) continue;
    for (const std::string& name : kRead) {
      if (is_slip(key, name)) {
        throw CheckpointError(source + ": unknown entry '" + key + "'. Did you mean '" + name + "'?");
      }
    }
  }
}

}  // namespace sextant::models
