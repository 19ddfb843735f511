// Reads the hyper-parameters of a network from JSON. What nobody asked for is an error, so a misspelt key is never a
// silent default.
#pragma once

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "sextant/error.h"

namespace sextant::networks {

class ConfigReader {
 public:
  /// `what` names the network in messages; `config` must outlive the reader.
  ConfigReader(std::string what, const nlohmann::json& config) : what_(std::move(what)), config_(config) {
    if (!config_.is_object()) throw CheckpointError(what_ + ": expected a JSON object of hyper-parameters");
  }

  /// The value of `key`, which must be there.
  template <class T>
  T required(const std::string& key) {
    seen_.insert(key);
    if (!config_.contains(key)) {
      throw CheckpointError(what_ + ": hyper-parameter '" + key + "' is missing." + did_you_mean(key, keys()));
    }
    return convert<T>(key);
  }

  /// The value of `key`, or `otherwise` when it is absent or null.
  template <class T>
  T optional(const std::string& key, T otherwise) {
    seen_.insert(key);
    return config_.contains(key) && !config_.at(key).is_null() ? convert<T>(key) : otherwise;
  }

  /// Accepts `key` without using it: arguments that matter in training only.
  void ignore(const std::string& key) { seen_.insert(key); }

  /// Call last: refuses keys that nobody read.
  void finish() const {
    for (const auto& item : config_.items()) {
      if (seen_.count(item.key())) continue;
      throw CheckpointError(what_ + ": unknown hyper-parameter '" + item.key() + "'." +
                            did_you_mean(item.key(), {seen_.begin(), seen_.end()}));
    }
  }

  /// Throws CheckpointError that starts with the network's name.
  [[noreturn]] void fail(const std::string& message) const { throw CheckpointError(what_ + ": " + message); }

 private:
  /// Whether a value is of the type itself: JSON's own conversions would make 1 of true and 2 of 2.5.
  template <class T>
  static bool holds(const nlohmann::json& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value.is_boolean();
    } else if constexpr (std::is_integral_v<T>) {
      return value.is_number_integer() ||
             (value.is_number_float() && std::nearbyint(value.get<double>()) == value.get<double>());
    } else if constexpr (std::is_floating_point_v<T>) {
      return value.is_number();
    } else if constexpr (is_list<T>::value) {
      return value.is_array() && std::all_of(value.begin(), value.end(), holds<typename T::value_type>);
    } else {
      return true;
    }
  }
  template <class T>
  struct is_list : std::false_type {};
  template <class T>
  struct is_list<std::vector<T>> : std::true_type {};

  template <class T>
  T convert(const std::string& key) const {
    const nlohmann::json& value = config_.at(key);
    try {
      if (holds<T>(value)) return value.get<T>();
    } catch (const nlohmann::json::exception&) {
    }
    throw CheckpointError(what_ + ": hyper-parameter '" + key + "' has an unusable value " + value.dump());
  }

  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const auto& item : config_.items()) keys.push_back(item.key());
    return keys;
  }

  std::string what_;
  const nlohmann::json& config_;
  std::set<std::string> seen_;
};

}  // namespace sextant::networks
