// Where two runs differ.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sextant {

/// "[guidance] alpha is 0.1 there and 0.2 here" for the first setting of `here` that `there` does not have or has
/// otherwise, both {"table": {"key": value}}; else that `there` has settings which are not known here.
std::string first_difference(const nlohmann::json& there, const nlohmann::json& here);

}  // namespace sextant
