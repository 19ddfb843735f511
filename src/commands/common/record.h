// What every record of a run says.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sextant::commands {

/// What computed the run: {"sextant", "libtorch", "device", "threads"}, the libtorch that was loaded; of a GPU also
/// {"gpu", "driver", "cuda", "cudnn", "tf32", "deterministic"}. A `device` of "" is left out.
nlohmann::json versions_record(const std::string& device);

}  // namespace sextant::commands
