// Reads the hyper-parameters of a network from JSON. What nobody asked for is an error, so a misspelt key is never a
// silent default.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

namespace sextant::networks {

class ConfigReader {
 public:
  /// `what` names the network in messages; `config` must outlive the reader.
  ConfigReader(std::string what, const nlohmann::json& config);

  /// The value of `key`, which must be there. T is bool, int64_t, double, std::string, or a list of them or of rows
  /// (config_reader.cpp names them).
  template <class T>
  T required(const std::string& key);

  /// The value of `key`, or `otherwise` when it is absent or null.
  template <class T>
  T optional(const std::string& key, T otherwise);

  /// Accepts `key` without using it: arguments that matter in training only.
  void ignore(const std::string& key) { seen_.insert(key); }

  /// Call last: refuses keys that nobody read.
  void finish() const;

  /// Throws CheckpointError that starts with the network's name.
  [[noreturn]] void fail(const std::string& message) const;

 private:
  template <class T>
  T convert(const std::string& key) const;

  std::string what_;
  const nlohmann::json& config_;
  std::set<std::string> seen_;
};

}  // namespace sextant::networks
