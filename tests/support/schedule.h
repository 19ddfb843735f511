// Noise schedules as files of reference vectors name them.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "sextant/diffusion/process.h"

namespace sextant::testing {

inline diffusion::BetaSchedule beta_schedule(const nlohmann::json& word) {
  if (word == "linear") return diffusion::BetaSchedule::kLinear;
  if (word == "cosine") return diffusion::BetaSchedule::kCosine;
  throw std::invalid_argument("no beta schedule: " + word.dump());
}

}  // namespace sextant::testing
