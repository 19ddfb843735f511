// The JSON header of a safetensors file, parsed without building a document: depth, names and numbers are checked as
// they come, so a hostile header costs no more than its own length.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sextant::checkpoint {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;           ///< as written: "F32", ...
  std::vector<int64_t> shape;  ///< not yet multiplied
  std::vector<int64_t> offsets;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in file order; names unique; offsets are two
  std::map<std::string, std::string> metadata;
};

/// Throws Malformed with the reason.
SafetensorsHeader parse_safetensors_header(std::string_view json);

}  // namespace sextant::checkpoint
