// An environment of given variables.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "internal/distributed/world.h"

namespace sextant::distributed {

using Variables = std::map<std::string, std::string>;

inline Environment environment(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

}  // namespace sextant::distributed
