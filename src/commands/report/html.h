// Pieces of HTML.
#pragma once

#include <filesystem>
#include <string>

namespace sextant::commands {

/// With <, >, & and quotes as entities.
std::string escaped(const std::string& text);

/// The file as a data: address.
std::string embedded_file(const std::filesystem::path& file);

extern const char* const kReportStyle;   ///< the page's CSS
extern const char* const kReportScript;  ///< sorting, enlarging, copying, light and dark

}  // namespace sextant::commands
