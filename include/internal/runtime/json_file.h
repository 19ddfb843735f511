// JSON files: as text, and as somebody else may have written them, where an entry of an unexpected kind is the file's
// fault.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "sextant/runtime/error.h"

namespace sextant {

/// What the JSON library says is wrong, without its number: "type must be boolean, but is string".
inline std::string reason_of(const nlohmann::json::exception& problem) {
  const std::string text = problem.what();
  const std::size_t end = text.find("] ");
  return end == std::string::npos ? text : text.substr(end + 2);
}

/// Indented. The names of files may be no UTF-8, which JSON must be: their other bytes become U+FFFD.
inline std::string json_text(const nlohmann::json& value) {
  return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// What `read` returns, which takes entries out of the JSON of `file`. Thrown names the file where an entry is missing
/// or of another kind than `read` asks for.
template <class Thrown = Error, class Read>
auto read_entries(const std::filesystem::path& file, const Read& read) {
  try {
    return read();
  } catch (const nlohmann::json::exception& problem) {
    throw Thrown(file.string() + " is damaged: an entry is missing or of another kind (" + reason_of(problem) + ")");
  }
}

}  // namespace sextant
