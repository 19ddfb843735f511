// The deterministic fill: weights computed from a tensor's name and shape, the same in every language. Full-size
// networks are checked with it, without shipping gigabytes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::testing {

struct FillRule {
  std::string prefix;
  double gain = 1.0;
  nlohmann::json exceptions = nlohmann::json::object();  ///< by full name: "keep", ["scale", s], ["const", v]
};

/// The tensor called `name` by the rule: float32, or int64 zeros when `integer`. Undefined for "keep".
Tensor filled(const std::string& name, const std::vector<int64_t>& shape, const FillRule& rule, bool integer = false);

}  // namespace sextant::testing
