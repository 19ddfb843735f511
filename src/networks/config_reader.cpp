#include "config_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "sextant/runtime/error.h"

namespace sextant::networks {

using nlohmann::json;

namespace {

template <class T>
struct is_list : std::false_type {};
template <class T>
struct is_list<std::vector<T>> : std::true_type {};
template <class T, std::size_t N>
struct is_list<std::array<T, N>> : std::true_type {
  static constexpr std::size_t size = N;
};

/// Whether a value is of the type itself: JSON's own conversions would make 1 of true and 2 of 2.5.
template <class T>
bool holds(const json& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value.is_boolean();
  } else if constexpr (std::is_integral_v<T>) {
    // No size of a network is near it, and products of two still fit an int64.
    constexpr double kMost = 1 << 24;
    if (!value.is_number()) return false;
    const auto number = value.get<double>();
    return std::abs(number) <= kMost && std::nearbyint(number) == number;
  } else if constexpr (std::is_floating_point_v<T>) {
    return value.is_number();
  } else if constexpr (is_list<T>::value) {
    if constexpr (requires { is_list<T>::size; }) {
      if (value.size() != is_list<T>::size) return false;
    }
    return value.is_array() && std::all_of(value.begin(), value.end(), holds<typename T::value_type>);
  } else {
    return true;
  }
}

std::vector<std::string> keys_of(const json& config) {
  std::vector<std::string> keys;
  for (const auto& item : config.items()) keys.push_back(item.key());
  return keys;
}

}  // namespace

ConfigReader::ConfigReader(std::string what, const json& config) : what_(std::move(what)), config_(config) {
  if (!config_.is_object()) fail("expected a JSON object of hyper-parameters");
}

void ConfigReader::fail(const std::string& message) const { throw CheckpointError(what_ + ": " + message); }

void ConfigReader::finish() const {
  for (const std::string& key : keys_of(config_)) {
    if (seen_.count(key)) continue;
    fail("unknown hyper-parameter '" + key + "'." + did_you_mean(key, {seen_.begin(), seen_.end()}));
  }
}

template <class T>
T ConfigReader::convert(const std::string& key) const {
  const json& value = config_.at(key);
  try {
    if (holds<T>(value)) return value.get<T>();
  } catch (const json::exception&) {
  }
  fail("hyper-parameter '" + key + "' has an unusable value " + value.dump());
}

template <class T>
T ConfigReader::required(const std::string& key) {
  seen_.insert(key);
  if (!config_.contains(key)) {
    fail("hyper-parameter '" + key + "' is missing." + did_you_mean(key, keys_of(config_)));
  }
  return convert<T>(key);
}

template <class T>
T ConfigReader::optional(const std::string& key, T otherwise) {
  seen_.insert(key);
  return config_.contains(key) && !config_.at(key).is_null() ? convert<T>(key) : otherwise;
}

#define SEXTANT_HYPER_PARAMETER(...)                                            \
  template __VA_ARGS__ ConfigReader::required<__VA_ARGS__>(const std::string&); \
  template __VA_ARGS__ ConfigReader::optional<__VA_ARGS__>(const std::string&, __VA_ARGS__)

SEXTANT_HYPER_PARAMETER(bool);
SEXTANT_HYPER_PARAMETER(int64_t);
SEXTANT_HYPER_PARAMETER(double);
SEXTANT_HYPER_PARAMETER(std::string);
SEXTANT_HYPER_PARAMETER(std::vector<bool>);
SEXTANT_HYPER_PARAMETER(std::vector<int64_t>);
SEXTANT_HYPER_PARAMETER(std::vector<double>);
SEXTANT_HYPER_PARAMETER(std::vector<std::string>);
SEXTANT_HYPER_PARAMETER(std::array<int64_t, 4>);
SEXTANT_HYPER_PARAMETER(std::vector<std::vector<int64_t>>);
SEXTANT_HYPER_PARAMETER(std::vector<std::vector<json>>);

#undef SEXTANT_HYPER_PARAMETER

}  // namespace sextant::networks
