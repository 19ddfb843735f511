#include "recipe.h"

// Header-only: the one place that reads TOML.
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
// Some recipes ("[ = 1") break its assertions; what follows them refuses these in words.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include "internal/runtime/files.h"
#include "internal/runtime/utf8.h"
#include "sextant/runtime/error.h"

namespace sextant::cli {

using nlohmann::json;

namespace {

json to_json(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    json object = json::object();
    for (const auto& [key, value] : *table) object[std::string(key.str())] = to_json(value);
    return object;
  }
  if (const auto* array = node.as_array()) {
    json list = json::array();
    for (const auto& value : *array) list.push_back(to_json(value));
    return list;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* truth = node.as_boolean()) return truth->get();
  throw UsageError("line " + std::to_string(node.source().begin.line) + ": dates are no settings");
}

json read_json(const std::filesystem::path& path) {
  try {
    return json::parse(read_file(path));
  } catch (const json::exception&) {
    throw UsageError(path.string() +
                     " is not valid JSON; --recipe takes a TOML file or the run.json of an earlier run");
  }
}

}  // namespace

json read_toml(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  try {
    return to_json(toml::parse(text));
  } catch (const toml::parse_error& error) {
    const auto where = error.source().begin;
    throw UsageError(path.string() + ": line " + std::to_string(where.line) + ", column " +
                     std::to_string(where.column) + ": " + one_line(error.description()));
  } catch (const UsageError& error) {
    throw UsageError(path.string() + ": " + error.what());
  }
}

json recipe_tables(const std::filesystem::path& path, const std::string& command) {
  if (path.extension() != ".json") return read_toml(path);
  const json run = read_json(path);
  if (!run.is_object() || !run.contains("command") || !run["command"].is_string() || !run.contains("config")) {
    throw UsageError(path.string() + " is no run.json of an earlier run: it has no \"command\" and \"config\"");
  }
  if (!command.empty() && run["command"] != command) {
    throw UsageError(path.string() + " is the record of 'sextant " + run["command"].get<std::string>() +
                     "', not of 'sextant " + command + "'");
  }
  if (!run["config"].is_object()) throw UsageError(path.string() + ": \"config\" must be a table of tables");
  return run["config"];
}

}  // namespace sextant::cli
