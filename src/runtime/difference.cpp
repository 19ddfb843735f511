#include "internal/runtime/difference.h"

#include <nlohmann/json.hpp>

namespace sextant {

using nlohmann::json;

std::string first_difference(const json& there, const json& here) {
  for (const auto& [table, keys] : here.items()) {
    for (const auto& [key, value] : keys.items()) {
      const json former = there.value(table, json::object()).value(key, json());
      if (former != value)
        return "[" + table + "] " + key + " is " + former.dump() + " there and " + value.dump() + " here";
    }
  }
  return "it has settings that are not known here";
}

}  // namespace sextant
