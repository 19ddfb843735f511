#include "internal/runtime/options.h"

#include <charconv>
#include <cmath>
#include <set>

#include "internal/runtime/text.h"
#include "internal/runtime/utf8.h"
#include "option_text.h"
#include "sextant/runtime/error.h"

namespace sextant {

using nlohmann::json;

namespace {

/// "a number from 0 to 10", for errors.
std::string describe(const Range& range, bool whole) {
  return (whole ? "a whole number " : "a number ") + range.text();
}

template <class Number>
bool parse(const std::string& text, Number& value) {
  const char* first = text.data();
  const char* last = first + text.size();
  if (first != last && *first == '+') ++first;
  const auto [end, error] = std::from_chars(first, last, value);
  return error == std::errc{} && end == last;
}

template <class Number>
Number parse_number(const Option& option, const std::string& text) {
  constexpr bool kWhole = std::is_integral_v<Number>;
  const Range* range = std::get_if<Range>(&option.accepts);
  const Range accepted = range ? *range : Range{-kUnlimited, kUnlimited};
  Number value{};
  if (!parse(text, value) || !accepted.contains(static_cast<double>(value))) {
    throw UsageError(option.flag + " must be " +
                     (range    ? describe(*range, kWhole)
                      : kWhole ? "a whole number"
                               : "a number") +
                     ", got '" + text + "'");
  }
  return value;
}

void check_name(const std::string& flag, const std::string& name, const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  throw UsageError(flag + " '" + name + "' is unknown; use " + joined(names, ", ", " or ") + "." +
                   did_you_mean(name, names));
}

void check_sum(const std::string& flag, const std::string& text, const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& term : split(text, '+')) {
    check_name(flag, term, names);
    if (!seen.insert(term).second) throw UsageError(flag + " '" + text + "' names " + term + " twice");
  }
}

void check_words(const Option& option, const std::string& text) {
  // Settings are kept as JSON, which holds no other text.
  if (!is_utf8(text)) {
    throw UsageError(option.flag + " must be UTF-8, got '" + one_line(text) + "'; give a file or folder another name");
  }
  if (const auto* one = std::get_if<OneOf>(&option.accepts)) check_name(option.flag, text, one->names);
  if (const auto* sum = std::get_if<SumOf>(&option.accepts)) check_sum(option.flag, text, sum->names);
}

/// "0.2,0.8" -> {0.2, 0.8}
Interval parse_interval(const Option& option, const std::string& text) {
  const auto comma = text.find(',');
  Interval interval;
  const Range range = std::get<Range>(option.accepts);
  const bool parsed = comma != std::string::npos && parse(text.substr(0, comma), interval.low) &&
                      parse(text.substr(comma + 1), interval.high);
  if (parsed && range.contains(interval.low) && range.contains(interval.high) && interval.low <= interval.high) {
    return interval;
  }
  throw UsageError(option.flag + " must be LO,HI with " + shortest(range.low) + (range.above ? " <" : " <=") +
                   " LO <= HI" + (range.high == kUnlimited ? "" : " <= " + shortest(range.high)) + ", got '" + text +
                   "'");
}

std::string text_of(const Interval& interval) { return shortest(interval.low) + "," + shortest(interval.high); }

void store(const Option& option, const std::string& text) {
  std::visit(Overloaded{[&](bool* target) {
                          if (text != "true" && text != "false") {
                            throw UsageError(option.flag + " must be true or false, got '" + text + "'");
                          }
                          *target = text == "true";
                        },
                        [&](Interval* target) { *target = parse_interval(option, text); },
                        [&](std::optional<Interval>* target) {
                          *target = text.empty() ? std::nullopt : std::optional(parse_interval(option, text));
                        },
                        [&](const Choice& choice) {
                          check_words(option, text);
                          choice.choose(text);
                        },
                        [&]<class Number>(Number* target) { *target = parse_number<Number>(option, text); },
                        [&](std::string* target) {
                          check_words(option, text);
                          *target = text;
                        }},
             option.target);
}

json value_of(const Option& option) {
  return std::visit(Overloaded{[](const Interval* target) -> json { return text_of(*target); },
                               [](const std::optional<Interval>* target) -> json {
                                 return *target ? text_of(**target) : std::string();
                               },
                               [](const Choice& choice) -> json { return choice.word(); },
                               [](const auto* target) -> json { return *target; }},
                    option.target);
}

/// What stands between the items of a list.
std::string separator_of(const Option& option) {
  const auto* several = std::get_if<Several>(&option.accepts);
  return std::string(1, several ? several->separator : ',');
}

/// Text is not a number in a recipe: scale = "2" is a mistake.
void check_kind(const Option& option, const json& value) {
  const auto require = [&](bool fits, const char* wanted) {
    if (!fits) throw UsageError(option_key(option.flag) + " must be " + wanted + ", got " + value.dump());
  };
  const bool text = !value.is_object() && !value.is_null();
  std::visit(
      Overloaded{[&](bool*) { require(value.is_boolean(), "true or false"); },
                 [&](int64_t*) { require(value.is_number_integer(), "a whole number"); },
                 // TOML's integers end at 2^63 - 1; beyond, a recipe writes the digits as text.
                 [&](uint64_t*) { require(value.is_number_integer() || value.is_string(), "a whole number"); },
                 [&](double*) { require(value.is_number(), "a number"); }, [&](const auto&) { require(text, "text"); }},
      option.target);
}

/// "; it belongs in [a] or [b]", the tables that have this key; "" where none has.
std::string place_of(const std::string& key, const std::vector<OptionGroup>& groups) {
  std::vector<std::string> places;
  for (const OptionGroup& group : groups) {
    const bool here = std::any_of(group.options.begin(), group.options.end(),
                                  [&](const Option& option) { return option_key(option.flag) == key; });
    if (here) places.push_back("[" + group.name + "]");
  }
  return places.empty() ? "" : "; it belongs in " + joined(places, ", ", " or ");
}

}  // namespace

std::string option_key(const std::string& flag) { return flag.substr(flag.find_first_not_of('-')); }

std::string with_dashes(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return key;
}

std::vector<std::pair<std::string, std::string>> idle_settings(const std::vector<Dependent>& dependents,
                                                               const json& now, const json& standard) {
  std::vector<std::pair<std::string, std::string>> idle;
  std::set<std::string> named;
  for (const Dependent& dependent : dependents) {
    if (dependent.effective) continue;
    for (const std::string& key : dependent.keys) {
      const json::json_pointer place("/" + dependent.table + "/" + key);
      const bool changed = standard.contains(place) && now.at(place) != standard.at(place);
      if (changed && named.insert(key).second) idle.emplace_back(key, dependent.why);
    }
  }
  return idle;
}

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

OptionTable::OptionTable(std::string command, std::vector<OptionGroup> groups)
    : command_(std::move(command)), groups_(std::move(groups)), defaults_(to_json()) {}

std::vector<std::string> OptionTable::flags() const {
  std::vector<std::string> flags;
  for (const OptionGroup& group : groups_) {
    for (const Option& option : group.options) flags.push_back(option.flag);
  }
  return flags;
}

void OptionTable::set(const std::string& flag, const std::string& text) {
  for (const OptionGroup& group : groups_) {
    for (const Option& option : group.options) {
      if (option.flag == flag) return store(option, text);
    }
  }
  throw UsageError("unknown flag '" + flag + "'." + did_you_mean(flag, flags()));
}

void OptionTable::merge(const json& tables, const std::string& source) {
  std::vector<std::string> names;
  for (const OptionGroup& group : groups_) names.push_back(group.name);
  for (const auto& [name, keys] : tables.items()) {
    const auto group =
        std::find_if(groups_.begin(), groups_.end(), [&, &wanted = name](const auto& g) { return g.name == wanted; });
    if (group == groups_.end()) {
      const bool table = keys.is_object() || (keys.is_array() && !keys.empty() && keys[0].is_object());
      const std::string place = table ? "" : place_of(with_dashes(name), groups_);
      if (!place.empty()) throw UsageError(source + ": key '" + name + "' stands in no table" + place);
      throw UsageError(source + ": unknown " +
                       (table ? "table [" + name + "]" : "key '" + name + "' outside of tables") + "; " + command_ +
                       " reads [" + joined(names, "], [") + "]." + did_you_mean(name, names));
    }
    if (!keys.is_object()) throw UsageError(source + ": " + name + " must be a table, [" + name + "]");
    std::vector<std::string> known;
    for (const Option& option : group->options) known.push_back(option_key(option.flag));
    for (const auto& [key, value] : keys.items()) {
      const std::string spelt = with_dashes(key);
      const auto at = std::find(known.begin(), known.end(), spelt);
      if (at == known.end()) {
        const std::string place = place_of(spelt, groups_);
        throw UsageError(source + ": unknown key '" + key + "' in [" + name + "]" +
                         (place.empty() ? "." + did_you_mean(spelt, known) : place));
      }
      const Option& option = group->options[static_cast<std::size_t>(at - known.begin())];
      try {
        check_kind(option, value);
        store(option, as_text(value, separator_of(option)));
      } catch (const UsageError& error) {
        throw UsageError(source + ": [" + name + "] " + error.what());
      }
    }
  }
}

void OptionTable::check() const {
  for (const OptionGroup& group : groups_) {
    for (const Option& option : group.options) store(option, as_text(value_of(option)));
  }
}

json OptionTable::to_json() const {
  json tables = json::object();
  for (const OptionGroup& group : groups_) {
    json& keys = tables[group.name] = json::object();
    for (const Option& option : group.options) keys[option_key(option.flag)] = value_of(option);
  }
  return tables;
}

}  // namespace sextant
