// What lies in a folder and below it.
#pragma once

#include <filesystem>
#include <vector>

namespace sextant {

/// The regular files below `folder`, sorted; links to files and to folders are followed. Error where it cannot be
/// listed and where folders are nested more than 32 deep, as by a link to a folder around it.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

}  // namespace sextant
