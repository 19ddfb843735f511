// What every record of a run says.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "sextant/runtime/device.h"

namespace sextant::commands {

/// What computed the run: {"sextant", "libtorch", "device", "threads"}, the libtorch that was loaded; of a GPU also
/// {"gpu", "driver", "cuda", "cudnn", "tf32", "deterministic"}. Without a `device` it is left out.
nlohmann::json versions_record(const std::optional<DeviceChoice>& device = {});

}  // namespace sextant::commands
