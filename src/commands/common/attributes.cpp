#include "common/attributes.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>

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

std::optional<float> answer(const std::string& text) {
  if (text.empty()) return 0.0F;
  static const std::vector<std::string> kYes = {"1", "1.0", "true", "True", "TRUE"};
  static const std::vector<std::string> kNo = {"0", "0.0", "-1", "-1.0", "false", "False", "FALSE"};
  const auto among = [&](const auto& words) { return std::find(words.begin(), words.end(), text) != words.end(); };
  if (among(kYes)) return 1.0F;
  if (among(kNo)) return -1.0F;
  return std::nullopt;
}

float answer_of(const std::string& where, const std::string& text) {
  if (const auto found = answer(text); found && !text.empty()) return *found;
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

std::string line_of(const std::string& path, std::size_t line) {
  return "--attributes " + path + ", line " + std::to_string(line + 1);
}

/// The cells of a line: one in quotes may hold commas, and quotes written twice.
std::vector<std::string> cells_of(const std::string& where, const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t at = 0; at < line.size(); ++at) {
    std::string& cell = cells.back();
    if (line[at] == ',' && !quoted) {
      cells.emplace_back();
    } else if (line[at] != '"' || (!quoted && !trimmed(cell).empty())) {
      cell += line[at];
    } else if (quoted && at + 1 < line.size() && line[at + 1] == '"') {
      cell += line[at++];
    } else {
      quoted = !quoted;
    }
  }
  if (quoted) throw UsageError(where + ": a quote is not closed");
  for (std::string& cell : cells) cell = trimmed(cell);
  return cells;
}

/// Spreadsheets write one before the first name.
std::string without_byte_order_mark(const std::string& text) {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

Tensor parse_csv(const std::string& path, const std::vector<std::string>& names,
                 const std::function<void(const std::string&)>& warn) {
  const AttributeTable table = read_attribute_table(path);
  if (const std::string& heading = table.column_of_images; !heading.empty()) {
    // Answers among what was read as images' names make it an attribute's column, in which the others are wrong.
    const bool answers = std::any_of(table.images.begin(), table.images.end(),
                                     [](const std::string& cell) { return answer(cell).has_value(); });
    if (answers || std::find(names.begin(), names.end(), heading) != names.end()) {
      attribute_named("--attributes " + path, heading, names);
      for (std::size_t line = 0; line < table.images.size(); ++line) {
        if (!table.images[line].empty()) answer_of(line_of(path, line + 1), table.images[line]);
      }
    } else if (warn) {
      warn("--attributes " + path + ": the column '" + heading +
           "' names images and is left out; lines are for the images that are drawn, in their order");
    }
  }
  const Tensor answers = at::zeros({table.answers.size(0), static_cast<int64_t>(names.size())});
  for (std::size_t c = 0; c < table.names.size(); ++c) {
    const auto column = static_cast<int64_t>(attribute_named("--attributes " + path, table.names[c], names));
    answers.select(1, column).copy_(table.answers.select(1, static_cast<int64_t>(c)));
  }
  return answers;
}

}  // namespace

AttributeTable read_attribute_table(const std::string& path) {
  std::vector<std::string> lines = split(without_byte_order_mark(replaced(read_file(path), "\r", "")), '\n');
  while (!lines.empty() && trimmed(lines.back()).empty()) lines.pop_back();
  if (lines.size() < 2)
    throw UsageError("--attributes " + path + ": expected a line of names and a line for each image");
  AttributeTable table;
  table.names = cells_of(line_of(path, 0), lines[0]);
  for (auto name = table.names.begin(); name != table.names.end(); ++name) {
    if (std::find(table.names.begin(), name, *name) == name) continue;
    throw UsageError(line_of(path, 0) + ": '" + *name + "' stands there twice");
  }
  std::vector<std::vector<std::string>> cells;
  for (std::size_t line = 1; line < lines.size(); ++line) {
    cells.push_back(cells_of(line_of(path, line), lines[line]));
    if (cells.back().size() == table.names.size()) continue;
    throw UsageError(line_of(path, line) + ": has " + std::to_string(cells.back().size()) + " cells for " +
                     std::to_string(table.names.size()) + " names");
  }
  const bool named = std::any_of(cells.begin(), cells.end(), [](const auto& line) { return !answer(line[0]); });
  if (named) {
    table.column_of_images = table.names[0];
    table.names.erase(table.names.begin());
    for (auto& line : cells) {
      table.images.push_back(line[0]);
      line.erase(line.begin());
    }
  }
  table.answers = at::zeros({static_cast<int64_t>(cells.size()), static_cast<int64_t>(table.names.size())});
  auto answers = table.answers.accessor<float, 2>();
  for (std::size_t line = 0; line < cells.size(); ++line) {
    for (std::size_t c = 0; c < table.names.size(); ++c) {
      const std::string& cell = cells[line][c];
      if (cell.empty()) continue;
      answers[static_cast<int64_t>(line)][static_cast<int64_t>(c)] = answer_of(line_of(path, line + 1), cell);
    }
  }
  return table;
}

Tensor parse_attributes(const std::string& text, const std::vector<std::string>& names,
                        const std::function<void(const std::string&)>& warn) {
  if (text.find('=') == std::string::npos && std::filesystem::exists(text)) return parse_csv(text, names, warn);
  const Tensor answers = at::zeros({1, static_cast<int64_t>(names.size())});
  for (const std::string& part : split(text, ',')) {
    const auto [name, value] = assignment("--attributes", part);
    const auto column = static_cast<int64_t>(attribute_named("--attributes", name, names));
    if (answers[0][column].item<float>() != 0) throw UsageError("--attributes names '" + name + "' twice");
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
