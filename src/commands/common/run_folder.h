// The folder of one run.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace sextant::commands {

/// Error unless a file can be made in `folder`, which is made if need be.
void check_writable_folder(const std::filesystem::path& folder);

/// The record of a former run in `file`; null when there is none with this entry. UsageError where the file holds
/// something else than a record, unless that is to be `replaced`.
nlohmann::json former_record(const std::filesystem::path& file, const std::string& entry, bool replaced = false);

/// What to do about a folder that holds something else.
inline constexpr const char* kChooseAnother = "; choose another --out, or --overwrite to replace it";

}  // namespace sextant::commands
