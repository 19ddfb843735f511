// Images that a former run of the same settings has drawn, so that a larger one draws only what is missing.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "drawing/store.h"
#include "sample/folder.h"

namespace sextant::commands {

/// A complete run, mostly a smaller one.
struct FormerRun {
  nlohmann::json record;  ///< its run.json; null where there is none
  std::filesystem::path npz;

  /// That it holds: 0 of none.
  int64_t images() const;
};

/// The former run in a folder of this one.
FormerRun former_run(const SampleFolder& folder);
/// The run with this identity in another folder, which is only read.
FormerRun former_run(const std::filesystem::path& folder, const nlohmann::json& identity);

/// Puts its images into the store, so that they are not drawn again; nothing where there is none. No more is known of a
/// former image than the run's means, which stand for it in the new ones. Error where its files are damaged.
void keep_former_images(const FormerRun& former, SampleStore& store, int64_t trace_steps);

}  // namespace sextant::commands
