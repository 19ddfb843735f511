// Settings by keyword: the rows of the commands' option tables, so that names, ranges, words and messages are the same.
#include <algorithm>
#include <cctype>

#include "bindings.h"
#include "sextant/runtime/error.h"

namespace sextant::python {

std::string in_python_spelling(const std::string& message) {
  std::string text;
  for (std::size_t i = 0; i < message.size();) {
    const bool starts = i == 0 || message[i - 1] == ' ' || message[i - 1] == '(' || message[i - 1] == '\'';
    if (!starts || message.compare(i, 2, "--") != 0 || i + 2 >= message.size() || !std::islower(message[i + 2])) {
      text += message[i++];
      continue;
    }
    for (i += 2; i < message.size() && (std::isalnum(message[i]) || message[i] == '-'); ++i) {
      text += message[i] == '-' ? '_' : message[i];
    }
  }
  return text;
}

void apply_settings(const std::string& who, std::vector<OptionGroup> groups, const std::string& settings) {
  OptionTable table(who, std::move(groups));
  try {
    table.merge(nlohmann::json::parse(settings), who);
  } catch (const UsageError& error) {
    throw UsageError(in_python_spelling(error.what()));
  }
}

std::vector<OptionGroup> only(const std::vector<OptionGroup>& groups, const std::vector<std::string>& names) {
  std::vector<OptionGroup> wanted;
  std::copy_if(groups.begin(), groups.end(), std::back_inserter(wanted), [&](const OptionGroup& group) {
    return std::find(names.begin(), names.end(), group.name) != names.end();
  });
  return wanted;
}

std::string settings_doc(const std::vector<OptionGroup>& groups) {
  const nlohmann::json defaults = OptionTable("", groups).to_json();
  std::string text;
  for (const OptionGroup& group : groups) {
    for (const Option& option : group.options) {
      const std::string key = option_key(option.flag);
      std::string spelt = key;
      std::replace(spelt.begin(), spelt.end(), '-', '_');
      text += "    " + spelt + " = " + defaults.at(group.name).at(key).dump() + ": " + in_python_spelling(option.help) +
              "\n";
    }
  }
  return text;
}

py::object to_python(const nlohmann::json& value) {
  return py::module_::import("json").attr("loads")(
      value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace sextant::python
