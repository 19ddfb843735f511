#include "common/attributes.h"

#include <charconv>
#include <cmath>
#include <filesystem>

#include "internal/runtime/files.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

std::size_t attribute_named(const std::string& flag, const std::string& name, const std::vector<std::string>& names) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  throw UsageError(flag + ": '" + name + "' is no attribute of the classifier; it has " + joined(names, ", ", " and ") +
                   "." + did_you_mean(name, names));
}

float answer_of(const std::string& where, const std::string& text) {
  if (text == "1") return 1;
  if (text == "0") return -1;
  throw UsageError(where + ": '" + text + "' is no answer; use 1 or 0");
}

/// "name=value" as its two parts.
std::pair<std::string, std::string> assignment(const std::string& flag, const std::string& part) {
  const auto equals = part.find('=');
  if (equals == std::string::npos) {
    throw UsageError(flag + ": '" + part + "' is not of the form name=value");
  }
  return {trimmed(part.substr(0, equals)), trimmed(part.substr(equals + 1))};
}

Tensor parse_csv(const std::string& path, const std::vector<std::string>& names) {
  std::vector<std::string> lines = split(replaced(read_file(path), "\r", ""), '\n');
  while (!lines.empty() && trimmed(lines.back()).empty()) lines.pop_back();
  if (lines.size() < 2)
    throw UsageError("--attributes " + path + ": expected a line of names and a line for each image");
  std::vector<std::size_t> columns;
  for (const std::string& name : split(lines[0], ',')) {
    columns.push_back(attribute_named("--attributes " + path, trimmed(name), names));
  }
  const Tensor answers = at::zeros({static_cast<int64_t>(lines.size() - 1), static_cast<int64_t>(names.size())});
  for (std::size_t line = 1; line < lines.size(); ++line) {
    const std::vector<std::string> cells = split(lines[line], ',');
    const std::string where = "--attributes " + path + ", line " + std::to_string(line + 1);
    if (cells.size() != columns.size()) {
      throw UsageError(where + ": has " + std::to_string(cells.size()) + " cells for " +
                       std::to_string(columns.size()) + " names");
    }
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string cell = trimmed(cells[c]);
      if (cell.empty()) continue;
      answers[static_cast<int64_t>(line - 1)][static_cast<int64_t>(columns[c])] = answer_of(where, cell);
    }
  }
  return answers;
}

}  // namespace

Tensor parse_attributes(const std::string& text, const std::vector<std::string>& names) {
  if (text.find('=') == std::string::npos && std::filesystem::exists(text)) return parse_csv(text, names);
  const Tensor answers = at::zeros({1, static_cast<int64_t>(names.size())});
  for (const std::string& part : split(text, ',')) {
    const auto [name, value] = assignment("--attributes", part);
    const auto column = static_cast<int64_t>(attribute_named("--attributes", name, names));
    answers[0][column] = answer_of("--attributes " + name, value);
  }
  return answers;
}

std::vector<double> parse_attribute_weights(const std::string& text, const std::vector<std::string>& names) {
  if (text.empty()) return {};
  const auto number = [&](const std::string& given) {
    double value = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (error != std::errc{} || end != given.data() + given.size() || !std::isfinite(value)) {
      throw UsageError("--attribute-weights: '" + given + "' is no number");
    }
    return value;
  };
  std::vector<double> weights(names.size(), 1);
  const std::vector<std::string> parts = split(text, ',');
  if (text.find('=') == std::string::npos) {
    if (parts.size() != names.size()) {
      throw UsageError("--attribute-weights '" + text + "': expected " + std::to_string(names.size()) +
                       " numbers, one for each of " + joined(names, ", ", " and "));
    }
    for (std::size_t k = 0; k < parts.size(); ++k) weights[k] = number(trimmed(parts[k]));
    return weights;
  }
  for (const std::string& part : parts) {
    const auto [name, value] = assignment("--attribute-weights", part);
    weights[attribute_named("--attribute-weights", name, names)] = number(value);
  }
  return weights;
}

}  // namespace sextant::commands
