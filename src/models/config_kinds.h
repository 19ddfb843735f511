// Which kinds of value the entries of a config.json have.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sextant::models {

/// CheckpointError, naming `source` and the entry, where one that several readers take for an object, a text or a whole
/// number is none. Entries may be left out; what only one reader looks at is for that one to check.
void check_kinds(const nlohmann::json& config, const std::string& source);

}  // namespace sextant::models
