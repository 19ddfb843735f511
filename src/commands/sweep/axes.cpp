#include "sweep/axes.h"

#include <algorithm>

#include "internal/runtime/options.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

/// Whether a list is no value of this setting.
bool takes_one_value(const Option& option) {
  if (std::holds_alternative<Several>(option.accepts)) return false;
  if (std::holds_alternative<Interval*>(option.target) ||
      std::holds_alternative<std::optional<Interval>*>(option.target))
    return false;
  const bool text = std::holds_alternative<std::string*>(option.target);
  return !text || !std::holds_alternative<Anything>(option.accepts);
}

SettingAxis axis_of(const std::string& table, const std::string& key, const json& values) {
  if (!values.is_array() || values.empty()) {
    throw UsageError("axis '" + key + "' must be a list of values, got " + values.dump());
  }
  if (key == "seed") throw UsageError("axis 'seed': seeds are no axis, their numbers become a mean; use seeds = [...]");
  if (const std::string whose = own_affair(key); !whose.empty()) throw UsageError("axis '" + key + "': " + whose);
  return {table, key, {values.begin(), values.end()}};
}

std::string text_of(const json& value) {
  if (value.is_number_float()) return shortest(value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::string own_affair(const std::string& key) {
  if (key == "out") return "every run has a folder of its own in the sweep's, which [sweep] out names";
  for (const char* whole : {"threads", "overwrite", "quiet"}) {
    if (key == whole) return "it is one for the whole sweep; set it in [sweep]";
  }
  return "";
}

std::vector<SettingAxis> named_axes(const json& axes) {
  if (!axes.is_object()) throw UsageError("axes must be a table of lists, such as alpha = [0.05, 0.1]");
  SampleConfig config;
  const std::vector<OptionGroup> groups = sample_options(config);
  std::vector<SettingAxis> found;
  for (const auto& [name, value] : axes.items()) {
    const std::string key = with_dashes(name);
    std::vector<std::string> known;
    std::string table;
    for (const OptionGroup& group : groups) {
      for (const Option& option : group.options) {
        known.push_back(option_key(option.flag));
        if (known.back() == key) table = group.name;
      }
    }
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const OptionGroup& g) { return g.name == key; });
    if (value.is_object() && group != groups.end()) {
      std::vector<std::string> keys;
      for (const Option& option : group->options) keys.push_back(option_key(option.flag));
      for (const auto& [inner, values] : value.items()) {
        const std::string spelt = with_dashes(inner);
        if (std::find(keys.begin(), keys.end(), spelt) == keys.end()) {
          throw UsageError("axis '" + key + "." + inner + "': [" + key + "] has no such setting." +
                           did_you_mean(spelt, keys));
        }
        found.push_back(axis_of(key, spelt, values));
      }
      continue;
    }
    if (table.empty()) {  // in quotes "guidance.scale" is one name
      throw UsageError("axis '" + name + "' is no setting." + did_you_mean(key.substr(key.rfind('.') + 1), known));
    }
    found.push_back(axis_of(table, key, value));
  }
  return found;
}

std::vector<SettingAxis> taken_axes(json& tables) {
  SampleConfig config;
  std::vector<SettingAxis> taken;
  for (const OptionGroup& group : sample_options(config)) {
    if (!tables.contains(group.name) || !tables[group.name].is_object()) continue;
    json& settings = tables[group.name];
    for (const Option& option : group.options) {
      for (auto setting = settings.begin(); setting != settings.end();) {
        const bool axis =
            with_dashes(setting.key()) == option_key(option.flag) && setting->is_array() && takes_one_value(option);
        if (!axis) {
          ++setting;
          continue;
        }
        taken.push_back(axis_of(group.name, option_key(option.flag), *setting));
        setting = settings.erase(setting);
      }
    }
  }
  return taken;
}

std::vector<Combination> combinations(const std::vector<SettingAxis>& axes) {
  constexpr std::size_t kMost = 100'000;
  std::size_t count = 1;
  for (const SettingAxis& axis : axes) {
    count *= axis.values.size();
    if (count > kMost) throw UsageError("the axes have more than " + std::to_string(kMost) + " combinations");
  }
  std::vector<Combination> all = {{"", json::object()}};
  for (const SettingAxis& axis : axes) {
    std::vector<Combination> longer;
    for (const Combination& shorter : all) {
      for (const json& value : axis.values) {
        Combination one = shorter;
        one.name += (one.name.empty() ? "" : ", ") + axis.key + " " + text_of(value);
        one.tables[axis.table][axis.key] = value;
        longer.push_back(std::move(one));
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::vector<SettingAxis> without_fixed(const std::vector<SettingAxis>& axes, const json& tables) {
  std::vector<SettingAxis> left;
  for (const SettingAxis& axis : axes) {
    bool fixed = false;
    if (tables.contains(axis.table)) {
      for (const auto& [key, value] : tables[axis.table].items()) fixed = fixed || with_dashes(key) == axis.key;
    }
    if (!fixed) left.push_back(axis);
  }
  return left;
}

void check_not_overridden(const std::vector<SettingAxis>& axes, const SweepConfig& sweep) {
  for (const SettingAxis& axis : axes) {
    const bool steps = axis.key == "steps" || axis.key == "respacing";
    const char* flag = steps && sweep.steps > 0                 ? "--steps"
                       : axis.key == "count" && sweep.count > 0 ? "--count"
                       : axis.key == "device" && sweep.device   ? "--device"
                                                                : nullptr;
    if (flag == nullptr) continue;
    throw UsageError(std::string(flag) + " of the sweep would override every value of the axis '" + axis.key +
                     "': leave one of them out");
  }
}

}  // namespace sextant::commands
