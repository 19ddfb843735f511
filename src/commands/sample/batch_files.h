// Finished batches of a run that several processes draw: a file each, in one folder.
//
// Batch b holds the samples b * batch, ..., and is the same bytes whoever draws it, so two processes that draw one
// batch do no harm. A file appears whole and on disk (AtomicFile) and carries the archive's checksums.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "drawing/batch_sampler.h"
#include "sample/batch_ranges.h"

namespace sextant::commands {

class BatchFiles {
 public:
  /// Of the run with these settings, `count` samples in batches of `batch`, in `folder`, which is made. UsageError,
  /// with the first setting that differs, where the folder holds batches of another run.
  BatchFiles(std::filesystem::path folder, const nlohmann::json& settings);

  /// The settings of the run whose batches a folder holds; null where it holds none.
  static nlohmann::json settings_in(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  int64_t size() const { return (count_ + batch_ - 1) / batch_; }  ///< batches of the whole run
  int64_t count() const { return count_; }                         ///< samples of the whole run
  std::vector<int64_t> samples(int64_t batch) const;               ///< that a batch holds
  std::filesystem::path file(int64_t batch) const;

  bool has(int64_t batch) const { return std::filesystem::exists(file(batch)); }
  /// Batches that are not there; none when the folder is gone, as it is once the run is put together.
  BatchRanges missing() const;
  /// Those of `candidates`, which holds all that were missing a while ago.
  BatchRanges missing(const BatchRanges& candidates) const;
  /// Samples in all batches but those of `missing`.
  int64_t finished(const BatchRanges& missing) const;

  /// Records which weights the batches are drawn with. UsageError where others were drawn with different ones.
  void agree_on_weights(const nlohmann::json& weights) const;
  /// What was recorded; null if nothing was.
  nlohmann::json weights() const;

  void put(int64_t batch, const Batch& drawn) const;
  /// CheckpointError that names the file where it is damaged or of another shape.
  Batch get(int64_t batch) const;

 private:
  std::filesystem::path folder_;
  int64_t count_ = 0;
  int64_t batch_ = 0;
};

}  // namespace sextant::commands
