// The folder of one run of samples: what it may hold before, and the files it gets.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace sextant::commands {

class SampleFolder {
 public:
  /// Makes the folder and sees that files can be written in it. UsageError when it holds samples of a run with another
  /// identity, naming the first setting that differs, or more samples than `count`, unless `overwrite`. Those stay
  /// until replace_former().
  SampleFolder(std::filesystem::path folder, const nlohmann::json& identity, int64_t count, bool overwrite);

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path npz() const { return folder_ / "samples.npz"; }
  std::filesystem::path grid() const { return folder_ / "grid.png"; }
  std::filesystem::path record() const { return folder_ / "run.json"; }
  std::filesystem::path partial() const { return folder_ / "samples.partial"; }

  /// Batches of tasks that share a run.
  std::filesystem::path batches() const { return folder_ / "samples.batches"; }

  /// Of a run of one process, which takes over what batches() of this identity hold: UsageError where they are of
  /// another one, naming the first setting that differs, or damaged, unless `overwrite`. Those stay until
  /// replace_former().
  void check_batches(const nlohmann::json& identity, bool overwrite);

  /// The run.json of a former run with this identity whose samples are here, perhaps fewer, null when there is none.
  const nlohmann::json& former() const { return former_; }

  /// To be called when the models are open, with inputs_of() the run. UsageError where images of this run that are
  /// here, after check_batches() those in batches() too, were drawn with a file that has changed since; with
  /// `overwrite` they are another run's.
  void agree_on_inputs(const nlohmann::json& inputs, bool overwrite);

  /// Removes the results and batches of another run. To be called when an image of this one is safe in partial().
  void replace_former() const;

 private:
  void check_former(const nlohmann::json& identity, int64_t count) const;
  /// Images that the former run was to draw.
  int64_t former_count() const;

  std::filesystem::path folder_;
  nlohmann::json former_;
  bool alone_ = false;                       ///< check_batches() was called
  mutable bool batches_of_another_ = false;  ///< until they are removed
};

}  // namespace sextant::commands
