#include "described.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "config_kinds.h"
#include "internal/models/registry.h"
#include "sextant/runtime/error.h"
#include "weights/fit.h"

namespace sextant::models {

using nlohmann::json;

namespace {

/// Arguments come from a stranger: none of a network that exists is as large.
bool is_modest(const json& value) {
  constexpr double kLargest = 1 << 20;
  if (value.is_number_integer()) return std::abs(value.get<double>()) <= kLargest;
  if (!value.is_structured()) return true;
  return std::all_of(value.begin(), value.end(), [](const json& part) { return is_modest(part); });
}

/// The config.json of an object as a pickle's reader describes it: {"class_name", "init_args", "init_kwargs"}.
json config_of(const json& object) {
  static const std::map<std::string, const char*> kTypes = {
      {"EDMPrecond", "edm"}, {"VPPrecond", "edm"}, {"VEPrecond", "edm"}, {"iDDPMPrecond", "edm"}, {"Precond", "edm2"}};
  if (!object.is_object()) return nullptr;
  const json unnamed = object.value("init_args", json()), arguments = object.value("init_kwargs", json());
  const json name = object.value("class_name", json());
  if (!name.is_string() || !kTypes.contains(name) || !unnamed.empty() || !arguments.is_object()) return nullptr;
  if (!is_modest(arguments)) return nullptr;
  json config = {{"type", kTypes.at(name)}, {"model", arguments}};
  if (config["type"] == "edm") config["model"]["precond"] = name;
  for (const Architecture& architecture : architectures()) {
    const json& published = architecture.preset.config;
    if (!published.contains("latents") || published["type"] != config["type"]) continue;
    if (published["model"]["img_channels"] != arguments.value("img_channels", json())) continue;
    config["latents"] = published["latents"];
    break;
  }
  return config;
}

/// The objects that `choice` may mean, a moving average first.
std::vector<json> objects_in(const json& contents, const std::string& choice) {
  if (!contents.is_object()) return {};
  if (!choice.empty()) return {contents.value(choice, json())};
  std::vector<json> objects = {contents, contents.value("ema", json())};
  for (const auto& [key, value] : contents.items()) {
    if (key != "ema") objects.push_back(value);
  }
  return objects;
}

}  // namespace

json described_in(const checkpoint::Checkpoint& file, const WeightsChoice& choice) {
  if (!choice.prefix.empty()) return nullptr;
  for (const json& object : objects_in(file.config, choice.group)) {
    json config = config_of(object);
    if (config.is_null()) continue;
    try {
      check_kinds(config, file.source.string());
      const auto network = build(config);
      if (fit(*network, find_weights(*network, file, choice).tensors).exact) return config;
    } catch (const Error&) {
      continue;  // a network that there is not here
    } catch (const c10::Error&) {
      continue;
    }
  }
  return nullptr;
}

bool agrees(const json& arch, const json& described) {
  if (arch.at("type") != described.at("type")) return false;
  const json &published = arch.at("model"), &own = described.at("model");
  for (const auto& [key, value] : published.items()) {
    if (own.contains(key) && own[key] != value) return false;
  }
  return true;
}

}  // namespace sextant::models
