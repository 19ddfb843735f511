// The rows of the settings that every command takes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "internal/commands/run.h"
#include "internal/runtime/options.h"

namespace sextant::commands {

/// --device, --precision, --deterministic, --threads and --quiet; the rows point into `run`. `arithmetic` says whose
/// precision it is.
std::vector<Option> run_options(RunConfig& run, const std::string& arithmetic = "The networks' arithmetic");

/// The precision of one of a run's networks where it is not --precision: `flag` is its row.
Option precision_option(const std::string& flag, std::optional<Precision>* precision, const std::string& help);

Option threads_option(RunConfig& run);
Option quiet_option(RunConfig& run);

/// --out: the folder of `what`.
Option out_option(RunConfig& run, const std::string& what);
Option overwrite_option(RunConfig& run, const std::string& help);

/// `rows` and `more`, in this order.
std::vector<Option> appended(std::vector<Option> rows, const std::vector<Option>& more);

}  // namespace sextant::commands
