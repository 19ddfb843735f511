// Which entries a config.json has, and of which kinds of value.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sextant::models {

/// CheckpointError, naming `source` and the entry, where one that several readers take for an object, a text or a whole
/// number is none. Entries may be left out; what only one reader looks at is for that one to check.
void check_kinds(const nlohmann::json& config, const std::string& source);

/// CheckpointError, naming `source` and the nearest entry, for one that would be read but for a slip: of "diffusion"
/// and "input", and of a mixture, every unknown one; beside them one that is a letter off an entry which is read.
/// Others are remarks.
void check_entries(const nlohmann::json& config, const std::string& source);

}  // namespace sextant::models
