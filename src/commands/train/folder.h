// The folder of one training: whose it is, and its record.
#pragma once

#include <filesystem>

#include "train/setup.h"

namespace sextant::commands {

class TrainFolder {
 public:
  /// Makes the folder and sees that files can be written in it. UsageError when it holds another training (naming the
  /// first setting that differs) or a model of other origin, unless `overwrite`.
  TrainFolder(std::filesystem::path folder, nlohmann::json identity, bool overwrite);

  const std::filesystem::path& path() const { return folder_; }
  /// Whether this training was finished before.
  bool complete() const { return complete_; }
  TrainResult former() const;
  /// This training's, as what lies there has it.
  const nlohmann::json& identity() const { return identity_; }
  /// Whether another training lies there, which goes when the first snapshot of this one is saved.
  bool replaces() const { return replaces_; }

  /// run.json, the last file of a training. `more` is added to it.
  void write_record(const std::string& command, const TrainSetup& setup, const training::TrainerResult& result,
                    const nlohmann::json& more) const;

 private:
  std::filesystem::path folder_;
  nlohmann::json identity_;
  nlohmann::json record_;  ///< null without
  bool complete_ = false;
  bool replaces_ = false;
};

}  // namespace sextant::commands
