// Everything that a folder of runs has to show, in one HTML file that needs no network.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "internal/runtime/options.h"

namespace sextant::commands {

/// Settings of `sextant report`.
struct ReportConfig {
  std::string out;    ///< the HTML file; "" is report.html in the folder
  std::string title;  ///< "" is that of the only sweep, or the folder's name
};

/// The table of `sextant report`; the rows point into `config`.
std::vector<OptionGroup> report_options(ReportConfig& config);

struct ReportResult {
  std::filesystem::path file;
  int64_t sweeps = 0, runs = 0, pictures = 0;
};

/// Reads the records of every sweep, run, trace and theory in `folder` and below, with the pictures beside them, and
/// writes the page: tables that sort, pictures that enlarge, settings, and the command that repeats each. UsageError
/// for a folder that holds none.
ReportResult run_report(const std::filesystem::path& folder, const ReportConfig& config);

}  // namespace sextant::commands
