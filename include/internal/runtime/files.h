// Small files written whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace sextant {

/// Writes `bytes` beside `path` and renames: `path` is either the old file or the complete new one, also when the disk
/// is full or the process is killed. Error names the file and the system's reason.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// The whole file; Error names it and the system's reason.
std::string read_file(const std::filesystem::path& path);

}  // namespace sextant
