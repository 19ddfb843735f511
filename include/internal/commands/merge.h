// Shares of one run, drawn apart, put together.
#pragma once

#include <string>
#include <vector>

#include "internal/commands/sample.h"
#include "internal/runtime/options.h"

namespace sextant::commands {

/// Settings of `sextant merge`.
struct MergeConfig {
  std::string out;  ///< folder of the whole; "" is the first of those merged
};

/// The table of `sextant merge`; the rows point into `config`.
std::vector<OptionGroup> merge_options(MergeConfig& config);

/// Joins what tasks of `sextant sample --shard K/N` drew into these folders: the files of a run in one piece, the same
/// bytes. Every archive's checksums are read. UsageError where the folders are of different runs, Error where batches
/// are missing or damaged; nothing is removed then.
SampleResult run_merge(const std::vector<std::string>& folders, const MergeConfig& config);

}  // namespace sextant::commands
