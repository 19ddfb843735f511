// First inputs that are no files of the repository: folder/TARGET/NAME.
#pragma once

#include <filesystem>
#include <string>

namespace sextant::fuzz {

void write_files_seeds(const std::filesystem::path& folder);
void write_settings_seeds(const std::filesystem::path& folder);

/// One of them.
void put_seed(const std::filesystem::path& file, const std::string& bytes);

}  // namespace sextant::fuzz
