// The files that a recipe reads: which are there, and where to get the others.
#include <set>

#include "internal/commands/inspect.h"
#include "internal/models/published.h"
#include "internal/runtime/text.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// Settings whose value is a file or folder that is read.
const std::set<std::string>& read_settings() {
  static const std::set<std::string> kKeys = {"model",     "autoguidance-model", "vae",  "classifier", "judge",
                                              "reference", "features",           "data", "fit-data",   "init",
                                              "samples",   "clip-vocab"};
  return kKeys;
}

void collect(const json& node, std::vector<std::string>& paths) {
  if (node.is_array()) {
    for (const json& one : node) collect(one, paths);
  }
  if (!node.is_object()) return;
  for (const auto& [key, value] : node.items()) {
    const bool read = read_settings().contains(replaced(key, "_", "-"));
    std::vector<std::string> given;
    if (read && value.is_string()) given = split(value.get<std::string>(), ',');
    if (read && value.is_array() && !value.empty() && value[0].is_string())
      given = value.get<std::vector<std::string>>();
    for (const std::string& path : given) {
      const std::string name = trimmed(path);
      if (!name.empty() && std::find(paths.begin(), paths.end(), name) == paths.end()) paths.push_back(name);
    }
    if (given.empty()) collect(value, paths);
  }
}

}  // namespace

json inspect_recipe(const json& recipe) {
  json read = recipe;
  if (read.is_object()) read.erase("trace");  // its samples are numbers of images, not a file
  std::vector<std::string> paths;
  collect(read, paths);
  json files = json::array();
  for (const std::string& path : paths) {
    json file = {{"path", path}, {"there", fs::exists(path)}};
    if (const models::PublishedFile* published = models::published_file(path)) {
      file["size"] = published->size;
      file["address"] = published->address;
      if (!published->sha256.empty()) file["sha256"] = published->sha256;
      if (!published->note.empty()) file["note"] = published->note;
    }
    files.push_back(std::move(file));
  }
  return files;
}

std::string recipe_text(const json& files) {
  std::string text;
  std::size_t missing = 0;
  for (const json& file : files) {
    const bool there = file.at("there");
    missing += there ? 0 : 1;
    text += (there ? "there    " : "missing  ") + file.at("path").get<std::string>() + "\n";
    if (there) continue;
    if (!file.contains("address")) {
      text += "         not a published file that is known here: see the recipe's first lines\n";
      continue;
    }
    text += "         " + file["address"].get<std::string>() + "  (" + file["size"].get<std::string>() + ")\n";
    if (file.contains("sha256")) text += "         sha256 " + file["sha256"].get<std::string>() + "\n";
    if (file.contains("note")) text += "         " + file["note"].get<std::string>() + "\n";
  }
  if (files.empty()) return "the recipe names no files\n";
  if (missing == 0) return text + "nothing is missing\n";
  if (files.size() == 1) return text + "the only file is missing\n";
  return text + std::to_string(missing) + " of " + std::to_string(files.size()) +
         (missing == 1 ? " files is missing\n" : " files are missing\n");
}

}  // namespace sextant::commands
