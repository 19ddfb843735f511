// Where a training's files lie while another training's lie there still.
#pragma once

#include <filesystem>
#include <memory>

namespace sextant::training {

/// The files of one run. A run that replaces another keeps its own beside them, under names with ".new", until adopt().
class RunFiles {
 public:
  /// Error where another training is at work in the folder.
  RunFiles(std::filesystem::path folder, bool replaces);
  /// Where they lie, for a process that writes none of them.
  static RunFiles seen(std::filesystem::path folder, bool beside);

  bool beside() const { return beside_; }

  std::filesystem::path checkpoints() const { return folder_ / (beside_ ? "checkpoints.new" : "checkpoints"); }
  std::filesystem::path metrics() const { return folder_ / (beside_ ? "metrics.new.jsonl" : "metrics.jsonl"); }

  /// Error where the folder was removed under the run: a log that is open would be written to for nothing until the
  /// next snapshot.
  void check_there() const;

  /// The first snapshot is safe: the other training's snapshots, log and record go, and this run's files take their
  /// names. Error where that fails.
  void adopt();

 private:
  RunFiles() = default;

  std::filesystem::path folder_;
  std::shared_ptr<const int> lock_;
  bool beside_ = false;
};

}  // namespace sextant::training
