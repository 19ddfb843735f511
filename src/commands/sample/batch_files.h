// Finished batches of a run that several processes draw: a file each, in one folder.
//
// Batch b holds the samples b * batch, ..., and is the same bytes whoever draws it, so two processes that draw one
// batch do no harm. A file appears whole and on disk (AtomicFile), carries the archive's checksums, and is signed with
// the settings and the weights that its samples were drawn with.
#pragma once

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "drawing/batch_sampler.h"
#include "sample/batch_ranges.h"

namespace sextant::commands {

class BatchFiles {
 public:
  /// To draw the run with these settings, `count` samples in batches of `batch`, in `folder`, which is made.
  /// UsageError, with the first setting that differs, where the folder holds batches of another run.
  BatchFiles(const std::filesystem::path& folder, const nlohmann::json& settings);

  /// To read what a folder holds of that run; nothing is written there. UsageError likewise, and where it holds none.
  static BatchFiles there(const std::filesystem::path& folder, const nlohmann::json& settings);

  /// The settings of the run whose batches a folder holds; null where it holds none. UsageError where they are damaged.
  static nlohmann::json settings_in(const std::filesystem::path& folder);

  /// The weights that the batches in a folder are drawn with; null where that is not recorded. UsageError where that is
  /// damaged.
  static nlohmann::json weights_in(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  int64_t size() const { return (count_ + batch_ - 1) / batch_; }  ///< batches of the whole run
  int64_t count() const { return count_; }                         ///< samples of the whole run
  std::vector<int64_t> samples(int64_t batch) const;               ///< that a batch holds
  std::filesystem::path file(int64_t batch) const;

  /// Counts as finished the batches that lie within the first `images`, which another run has put together; all but one
  /// at most.
  void keep(int64_t images) { kept_ = std::min(images, count_ - 1) / batch_; }
  /// How many batches at the beginning are kept so.
  int64_t kept() const { return kept_; }

  bool has(int64_t batch) const { return batch < kept_ || std::filesystem::exists(file(batch)); }
  /// Batches that are not there; none when the folder is gone, as it is once the run is put together.
  BatchRanges missing() const { return without({".npz"}); }

  /// Tells the other processes that a batch cannot be drawn, until somebody begins anew with those of `first` + a
  /// multiple of `step`.
  void give_up(int64_t batch) const;
  void try_again(int64_t first, int64_t step) const;
  bool given_up(int64_t batch) const { return std::filesystem::exists(mark(batch)); }
  /// Batches that are missing() and not given up.
  BatchRanges left() const { return without({".npz", ".burst"}); }
  /// Those of `candidates`, which holds all that were left a while ago.
  BatchRanges left(const BatchRanges& candidates) const;

  /// Samples in all batches but those of `missing`.
  int64_t finished(const BatchRanges& missing) const;

  /// Records which weights the batches are drawn with. UsageError where others were drawn with different ones.
  void agree_on_weights(const nlohmann::json& weights);
  nlohmann::json weights() const { return weights_in(folder_); }

  /// After agree_on_weights().
  void put(int64_t batch, const Batch& drawn) const;
  /// CheckpointError that names the file where it is damaged, of another shape, or was drawn with other settings than
  /// the folder's or other weights than these.
  Batch get(int64_t batch, const nlohmann::json& weights) const;

 private:
  struct Stored {
    nlohmann::json settings;
  };
  BatchFiles(std::filesystem::path folder, const nlohmann::json& settings, const Stored& stored);
  Batch read(int64_t batch, const nlohmann::json& weights) const;
  std::filesystem::path mark(int64_t batch) const;
  BatchRanges without(std::initializer_list<std::string_view> endings) const;

  std::filesystem::path folder_;
  int64_t count_ = 0;
  int64_t batch_ = 0;
  int64_t kept_ = 0;
  std::string settings_signature_, weights_signature_;  ///< what put() signs with
};

}  // namespace sextant::commands
