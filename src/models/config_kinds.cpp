#include "config_kinds.h"

#include <nlohmann/json.hpp>

#include "sextant/runtime/error.h"

namespace sextant::models {

using nlohmann::json;

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

}  // namespace sextant::models
