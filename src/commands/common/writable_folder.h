// Folders that a run is to write in.
#pragma once

#include <filesystem>

namespace sextant::commands {

/// Error unless a file can be made in `folder`, which is made if need be.
void check_writable_folder(const std::filesystem::path& folder);

}  // namespace sextant::commands
