// Which settings the images of a run depend on, and which images depend on each other.
#pragma once

#include <nlohmann/json.hpp>

#include "internal/commands/sample.h"

namespace sextant::commands {

/// Which images depend on each other: these are drawn together or not at all.
enum class Coupling {
  kNone,    ///< image i depends on its own index alone
  kGroups,  ///< those of a tilt's group, a fixed number of consecutive images
  kBatches  ///< those of a batch, so that they change with its size
};
Coupling coupling_of(const GuidanceSettings& guidance);

/// A line for the reader where a tilt has but one image to weigh, so that it is plain guidance; "" elsewhere.
std::string lone_tilt_note(const SampleConfig& config);

/// The settings {"table": {"key": value}} that the images depend on. Runs with the same identity draw the same images,
/// some more of them than others, and continue each other.
nlohmann::json identity_of(const SampleConfig& config);

/// The identity of a run with these recorded settings; settings of another version stand for themselves.
nlohmann::json identity_of(const nlohmann::json& settings);

}  // namespace sextant::commands
