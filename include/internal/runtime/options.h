// The option table: one row per setting. It feeds the flag parser, the recipe's keys, the checks, --help, run.json and
// docs/cli.md, so none of them drifts from another.
//
// A config struct holds the defaults; the rows point into it and must not outlive it. Values arrive as text (flags) or
// as JSON (recipes, run.json) and are checked on arrival. UsageError, one line, names the setting, what it accepts,
// what arrived and, for a misspelt name, the nearest one. Nothing is stored by a call that throws for that setting.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "sextant/runtime/error.h"
#include "sextant/runtime/range.h"

namespace sextant {

struct Anything {};

/// One of these words.
struct OneOf {
  std::vector<std::string> names;
};

/// One or more of these words joined by '+', each once.
struct SumOf {
  std::vector<std::string> names;
};

/// Any texts, held in one with this between them: a flag given again adds one, a recipe may give a list.
struct Several {
  char separator = ',';
};

/// A field whose values have words, whatever its type: see choice().
struct Choice {
  std::function<std::string()> word;               ///< of the present value
  std::function<void(const std::string&)> choose;  ///< stores the value of one of the words
};

struct Option {
  /// An interval is written "LO,HI"; an optional one may be empty.
  using Target =
      std::variant<bool*, int64_t*, uint64_t*, double*, std::string*, Interval*, std::optional<Interval>*, Choice>;

  std::string flag;  ///< "--alpha"; the recipe's key is "alpha"
  Target target;
  std::variant<Anything, Range, OneOf, SumOf, Several> accepts;  ///< both ends of an interval lie in its range
  std::string help;                                              ///< what it does, with units
  std::string value;  ///< what stands for the value in --help: "PATH", "N"; "" writes the accepted words
};

/// The values of a field, each with its word.
template <class Value>
using Words = std::vector<std::pair<std::string, Value>>;

/// The first word of a value; Error where it has none.
template <class Value>
const std::string& word_of(const Words<Value>& words, const std::type_identity_t<Value>& value) {
  for (const auto& [word, named] : words) {
    if (named == value) return word;
  }
  throw Error("a setting holds a value that has no word");
}

/// The value of a word; null where it is none of them.
template <class Value>
const Value* value_of(const Words<Value>& words, const std::string& chosen) {
  for (const auto& [word, value] : words) {
    if (word == chosen) return &value;
  }
  return nullptr;
}

/// All words, in the table's order.
template <class Value>
std::vector<std::string> names_of(const Words<Value>& words) {
  std::vector<std::string> names;
  for (const auto& [word, value] : words) names.push_back(word);
  return names;
}

/// A setting that is one of a few values, an enum as a rule:
///
///   choice("--gamma-max", &config.gamma_max, {{"per-sample", GammaMax::kPerSample}, {"elucd", GammaMax::kElucd}},
///   "...")
template <class Value>
Option choice(std::string flag, Value* target, const Words<std::type_identity_t<Value>>& words, std::string help) {
  const auto word = [target, words] { return word_of(words, *target); };
  const auto choose = [target, words](const std::string& chosen) {
    if (const auto* value = value_of(words, chosen)) *target = *value;
  };
  return {std::move(flag), Choice{word, choose}, OneOf{names_of(words)}, std::move(help), ""};
}

/// One table of a recipe, [name], and one section of --help.
struct OptionGroup {
  std::string name;
  std::string title;
  std::vector<Option> options;
};

class OptionTable {
 public:
  /// The defaults shown by markdown() are the targets' values at this moment.
  OptionTable(std::string command, std::vector<OptionGroup> groups);

  const std::string& command() const { return command_; }
  const std::vector<OptionGroup>& groups() const { return groups_; }
  std::vector<std::string> flags() const;

  /// Stores the text given to `flag`; a switch takes "true" and "false".
  void set(const std::string& flag, const std::string& text);
  /// Stores the settings of {"group": {"key": value}}, keys not named keep their value. A list stands for its items
  /// joined by commas (Several: by its separator). `source` names the file in errors.
  void merge(const nlohmann::json& tables, const std::string& source);

  /// UsageError unless every setting holds what its row accepts: for settings that were not set through this table.
  void check() const;

  /// {"group": {"key": value}} of every setting as it stands now.
  nlohmann::json to_json() const;
  /// The settings as a page of the reference: one Markdown table per group.
  std::string markdown() const;

 private:
  std::string command_;
  std::vector<OptionGroup> groups_;
  nlohmann::json defaults_;
};

/// The key of a flag: "--gamma-max" -> "gamma-max".
std::string option_key(const std::string& flag);

/// A key as flags spell it: "gamma_max" -> "gamma-max".
std::string with_dashes(std::string key);

/// Settings of a table that have an effect only under a condition.
struct Dependent {
  bool effective;
  std::string why;  ///< the condition as a part of a sentence: "without a tilt"
  std::string table;
  std::vector<std::string> keys;
};

/// The settings without effect whose value in `now` is another than in `standard`, both as OptionTable::to_json() has
/// them: each key once, with why.
std::vector<std::pair<std::string, std::string>> idle_settings(const std::vector<Dependent>& dependents,
                                                               const nlohmann::json& now,
                                                               const nlohmann::json& standard);

/// A double as the shortest text that reads back as itself: "0.1".
std::string shortest(double value);

}  // namespace sextant
