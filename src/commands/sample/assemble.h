// Batches that several processes drew, on their way into one run.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "internal/commands/sample.h"
#include "sample/batch_files.h"
#include "sample/folder.h"
#include "sample/grow.h"
#include "sextant/runtime/progress.h"

namespace sextant::commands {

/// Puts the batches of one or more folders together in folder.path(), those that `sources` keep() from `former`. Each
/// missing batch is an Error that names it, and so are two files of one batch that differ. Returns the run's record, in
/// which `files` stand, files_of() the run where they are known.
nlohmann::json assemble(const SampleConfig& config, const nlohmann::json& settings, const nlohmann::json& files,
                        const std::vector<BatchFiles>& sources, const FormerRun& former, const SampleFolder& folder);

/// Puts the finished batches in the folder `batches` into the store where they are of this run, drawn with `weights`:
/// processes that are gone left them. A damaged one is drawn again. UsageError where they were drawn with other
/// weights, unless config.run.overwrite.
void keep_finished_batches(const std::filesystem::path& batches, const SampleConfig& config,
                           const nlohmann::json& weights, SampleStore& store, Progress& progress);

/// Removes the folder of batches at once, for processes that look into it meanwhile.
void remove_batches(const std::filesystem::path& batches);

/// Removes that folder where a run with this identity, of which `images` are put together, needs none of its batches
/// any more: whoever was to do so was killed. A process of which nothing was heard for `lease` seconds counts as dead.
void remove_batches_put_together(const std::filesystem::path& batches, const nlohmann::json& identity, int64_t images,
                                 double lease);

}  // namespace sextant::commands
