// The pages made from an option table: --help and the reference.
#include "internal/runtime/option_rows.h"
#include "internal/runtime/text.h"
#include "option_text.h"

namespace sextant {

using nlohmann::json;

namespace {

bool is_switch(const Option& option) { return std::holds_alternative<bool*>(option.target); }

bool is_interval(const Option& option) {
  return std::holds_alternative<Interval*>(option.target) ||
         std::holds_alternative<std::optional<Interval>*>(option.target);
}

std::string accepted_words(const Option& option) {
  return std::visit(
      Overloaded{[](const Anything&) { return std::string(); }, [](const Range& range) { return range.text(); },
                 [](const OneOf& one) { return joined(one.names, ", "); },
                 [](const Several& several) {
                   return std::string("may be given again, or several with ") + several.separator + " between";
                 },
                 [](const SumOf& sum) { return joined(sum.names, ", ") + "; terms add up with +"; }},
      option.accepts);
}

std::string value_word(const Option& option) {
  if (!option.value.empty() || is_switch(option)) return option.value;
  if (is_interval(option)) return "LO,HI";
  if (std::holds_alternative<int64_t*>(option.target) || std::holds_alternative<uint64_t*>(option.target)) return "N";
  return std::holds_alternative<double*>(option.target) ? "X" : "NAME";
}

}  // namespace

std::string as_text(const json& value, const std::string& between) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return shortest(value.get<double>());
  if (!value.is_array()) return value.dump();
  std::vector<std::string> items;
  for (const json& item : value) items.push_back(as_text(item));
  return joined(items, between);
}

OptionRow row_of(const Option& option, const json& defaults) {
  OptionRow row{.flag = option.flag, .value = value_word(option), .about = option.help, .words = {}};
  const std::string words = accepted_words(option);
  if (!words.empty()) row.about += " (" + words + ")";
  const std::string standard = as_text(defaults.at(option_key(option.flag)));
  if (!standard.empty() && !is_switch(option)) row.about += " [default " + standard + "]";
  if (const auto* one = std::get_if<OneOf>(&option.accepts)) row.words = one->names;
  if (const auto* terms = std::get_if<SumOf>(&option.accepts)) {
    row.words = terms->names;
    row.sum = true;
  }
  return row;
}

std::string help_row(const std::string& flag, const std::string& about, std::size_t columns) {
  constexpr std::size_t kFewest = 72;  // for two columns
  const std::size_t column = columns < kFewest ? 6 : 30;
  std::string text = "  " + flag;
  if (text.size() < column) {
    text.append(column - text.size(), ' ');
  } else {
    text.append(1, '\n').append(column, ' ');
  }
  return text + wrapped(about, columns - column, column) + "\n";
}

std::string help_of(const std::vector<OptionGroup>& groups, const json& defaults, std::size_t columns) {
  std::string text;
  for (const OptionGroup& group : groups) {
    text += "\n" + group.title + "  [" + group.name + "]\n";
    for (const Option& option : group.options) {
      const OptionRow row = row_of(option, defaults.at(group.name));
      text += help_row(row.flag + (row.value.empty() ? "" : " " + row.value), row.about, columns);
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
