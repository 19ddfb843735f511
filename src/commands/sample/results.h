// What a run of samples leaves: samples.npz, grid.png, curves, run.json.
#pragma once

#include <nlohmann/json.hpp>

#include "drawing/store.h"
#include "internal/commands/sample.h"
#include "sample/folder.h"

namespace sextant::commands {

/// Writes what the store's finished samples give into the folder, run.json last. Returns that record; `settings`,
/// `weights`, which are inputs_of() the run, and `files`, files_of() it where they are known, stand in it.
nlohmann::json write_results(const SampleConfig& config, const nlohmann::json& settings, const SampleStore& store,
                             const nlohmann::json& weights, const nlohmann::json& files, const SampleFolder& folder);

/// What a record says of its run of `count` samples.
SampleResult result_of(const nlohmann::json& record, int64_t count);

}  // namespace sextant::commands
