#include "internal/runtime/options.h"

#include <charconv>
#include <cmath>
#include <set>

#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant {

using nlohmann::json;

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

/// "from 0 to 10", "0 or more", "above 0"
std::string limits(const Range& range) {
  if (range.high == kUnlimited) return range.above ? "above " + shortest(range.low) : shortest(range.low) + " or more";
  return (range.above ? "above " : "from ") + shortest(range.low) + " to " + shortest(range.high);
}

/// "a number from 0 to 10", for errors.
std::string describe(const Range& range, bool whole) {
  return (whole ? "a whole number " : "a number ") + limits(range);
}

bool contains(const Range& range, double value) {
  if (std::isnan(value) || value > range.high) return false;
  return range.above ? value > range.low : value >= range.low;
}

template <class Number>
bool parse_whole_text(const std::string& text, Number& value) {
  const char* first = text.data();
  const char* last = first + text.size();
  if (first != last && *first == '+') ++first;
  const auto [end, error] = std::from_chars(first, last, value);
  return error == std::errc{} && end == last;
}

template <class Number>
Number parse_number(const Option& option, const std::string& text) {
  constexpr bool kWhole = std::is_same_v<Number, int64_t>;
  const Range* range = std::get_if<Range>(&option.accepts);
  const Range accepted = range ? *range : Range{-kUnlimited, kUnlimited};
  Number value{};
  if (!parse_whole_text(text, value) || !std::isfinite(static_cast<double>(value)) ||
      !contains(accepted, static_cast<double>(value))) {
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

void store(const Option& option, const std::string& text) {
  std::visit(Overloaded{[&](bool* target) {
                          if (text != "true" && text != "false") {
                            throw UsageError(option.flag + " must be true or false, got '" + text + "'");
                          }
                          *target = text == "true";
                        },
                        [&](int64_t* target) { *target = parse_number<int64_t>(option, text); },
                        [&](double* target) { *target = parse_number<double>(option, text); },
                        [&](std::string* target) {
                          if (const auto* one = std::get_if<OneOf>(&option.accepts))
                            check_name(option.flag, text, one->names);
                          if (const auto* sum = std::get_if<SumOf>(&option.accepts))
                            check_sum(option.flag, text, sum->names);
                          *target = text;
                        }},
             option.target);
}

/// A recipe's value as the text that the flag would take.
std::string as_text(const json& value, const std::string& between = ",") {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return shortest(value.get<double>());
  if (!value.is_array()) return value.dump();
  std::vector<std::string> items;
  for (const json& item : value) items.push_back(as_text(item));
  return joined(items, between);
}

/// What stands between the items of a list.
std::string separator_of(const Option& option) {
  const auto* several = std::get_if<Several>(&option.accepts);
  return std::string(1, several ? several->separator : ',');
}

/// Text is not a number in a recipe: scale = "2" is a mistake.
void check_kind(const Option& option, const json& value) {
  const bool fits = std::visit(
      Overloaded{[&](bool*) { return value.is_boolean(); }, [&](int64_t*) { return value.is_number_integer(); },
                 [&](double*) { return value.is_number(); },
                 [&](std::string*) { return !value.is_object() && !value.is_null(); }},
      option.target);
  if (fits) return;
  const char* wanted =
      std::visit(Overloaded{[](bool*) { return "true or false"; }, [](int64_t*) { return "a whole number"; },
                            [](double*) { return "a number"; }, [](std::string*) { return "text"; }},
                 option.target);
  throw UsageError(option_key(option.flag) + " must be " + wanted + ", got " + value.dump());
}

std::string accepted_words(const Option& option) {
  return std::visit(Overloaded{[](const Anything&) { return std::string(); },
                               [](const Range& range) {
                                 // A limit that nobody meets only clutters the page.
                                 constexpr double kFar = 1e6;
                                 return limits({range.low, range.high < kFar ? range.high : kUnlimited, range.above});
                               },
                               [](const OneOf& one) { return joined(one.names, ", "); },
                               [](const Several& several) {
                                 return std::string("may be given again, or several with ") + several.separator +
                                        " between";
                               },
                               [](const SumOf& sum) { return joined(sum.names, ", ") + "; terms add up with +"; }},
                    option.accepts);
}

bool is_switch(const Option& option) { return std::holds_alternative<bool*>(option.target); }

std::string value_word(const Option& option) {
  if (!option.value.empty() || is_switch(option)) return option.value;
  if (std::holds_alternative<int64_t*>(option.target)) return "N";
  return std::holds_alternative<double*>(option.target) ? "X" : "NAME";
}

}  // namespace

std::string option_key(const std::string& flag) { return flag.substr(flag.find_first_not_of('-')); }

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
      throw UsageError(source + ": unknown table [" + name + "]; " + command_ + " reads [" + joined(names, "], [") +
                       "]." + did_you_mean(name, names));
    }
    if (!keys.is_object()) throw UsageError(source + ": " + name + " must be a table, [" + name + "]");
    std::vector<std::string> known;
    for (const Option& option : group->options) known.push_back(option_key(option.flag));
    for (const auto& [key, value] : keys.items()) {
      std::string spelt = key;
      std::replace(spelt.begin(), spelt.end(), '_', '-');
      const auto at = std::find(known.begin(), known.end(), spelt);
      if (at == known.end()) {
        throw UsageError(source + ": unknown key '" + key + "' in [" + name + "]." + did_you_mean(spelt, known));
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

json OptionTable::to_json() const {
  json tables = json::object();
  for (const OptionGroup& group : groups_) {
    json& keys = tables[group.name] = json::object();
    for (const Option& option : group.options) {
      std::visit([&](const auto* target) { keys[option_key(option.flag)] = *target; }, option.target);
    }
  }
  return tables;
}

std::string OptionTable::help() const {
  constexpr std::size_t kColumn = 30;
  constexpr std::size_t kWidth = 110;
  std::string text;
  for (const OptionGroup& group : groups_) {
    text += "\n" + group.title + "  [" + group.name + "]\n";
    for (const Option& option : group.options) {
      const std::string value = value_word(option);
      const std::string words = accepted_words(option);
      const std::string standard = as_text(defaults_.at(group.name).at(option_key(option.flag)));
      std::string about = option.help;
      if (!words.empty()) about += " (" + words + ")";
      if (!standard.empty() && !is_switch(option)) about += " [default " + standard + "]";
      std::string left = "  " + option.flag + (value.empty() ? "" : " " + value);
      text += left;
      if (left.size() < kColumn) {
        text.append(kColumn - left.size(), ' ');
      } else {
        text.append(1, '\n').append(kColumn, ' ');
      }
      text += wrapped(about, kWidth - kColumn, kColumn) + "\n";
    }
  }
  return text;
}

std::string OptionTable::markdown() const {
  std::string text;
  for (const OptionGroup& group : groups_) {
    text += "\n### " + group.title + " `[" + group.name +
            "]`\n\n| flag | accepts | default | meaning |\n| --- | --- | --- | --- |\n";
    for (const Option& option : group.options) {
      const std::string value = value_word(option);
      const std::string words = is_switch(option) ? "switch" : accepted_words(option);
      const std::string standard = as_text(defaults_.at(group.name).at(option_key(option.flag)));
      text += "| `" + option.flag + (value.empty() ? "" : " " + value) + "` | " + words + " | " +
              (standard.empty() ? "" : "`" + standard + "`") + " | " + replaced(option.help, "|", "\\|") + " |\n";
    }
  }
  return text;
}

}  // namespace sextant
