// What a folder holds that a report can show.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sextant::commands {

struct Picture {
  std::filesystem::path file;  ///< .svg or .png
  std::string caption;
};

/// A folder with a record, and the pictures in it.
struct ShownFolder {
  std::filesystem::path folder;
  std::string name;       ///< relative to the report's folder; "" is that itself
  std::string file;       ///< its record: run.json, trace.json or theory.json
  nlohmann::json record;  ///< what that holds, or {"command": "trace"} of a trace.json that says no more
  std::vector<Picture> pictures;

  std::string command() const { return record.value("command", std::string()); }
};

/// All such folders in `folder` and below, sweeps first, then by name.
std::vector<ShownFolder> collected(const std::filesystem::path& folder);

}  // namespace sextant::commands
