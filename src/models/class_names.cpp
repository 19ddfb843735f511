#include "internal/models/class_names.h"

#include <nlohmann/json.hpp>

namespace sextant::models {

using nlohmann::json;

std::vector<std::string> class_names_of(const json& config) {
  std::vector<std::string> names;
  if (const auto listed = config.find("classes"); listed != config.end() && listed->is_array()) {
    for (const json& name : *listed) {
      if (!name.is_string()) return {};
      names.push_back(name.get<std::string>());
    }
    return names;
  }
  const auto labels = config.find("id2label");
  if (labels == config.end() || !labels->is_object()) return {};
  for (std::size_t i = 0; i < labels->size(); ++i) {
    const auto name = labels->find(std::to_string(i));
    if (name == labels->end() || !name->is_string()) return {};
    names.push_back(name->get<std::string>());
  }
  return names;
}

bool predicts_attributes(const json& config) { return config.value("predicts", json()) == "attributes"; }

int64_t class_count_of(const json& config) {
  if (const auto names = class_names_of(config); !names.empty()) return static_cast<int64_t>(names.size());
  for (const char* key : {"/classes", "/model/num_classes", "/model/classes"}) {
    const json::json_pointer place(key);
    if (config.contains(place) && config[place].is_number_integer()) return config[place].get<int64_t>();
  }
  return 0;
}

}  // namespace sextant::models
