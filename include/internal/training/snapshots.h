// State on disk that a training continues from.
//
// CheckpointError names a file that cannot be read, Error one that cannot be written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "sextant/checkpoint/checkpoint.h"

namespace sextant::training {

/// All that a training continues from: named tensors and a JSON object.
struct Snapshot {
  int64_t step = 0;
  checkpoint::StateDict tensors;
  nlohmann::json facts = nlohmann::json::object();
};

/// The snapshots of one run in a folder: each appears whole or not at all, the last two stay.
class Snapshots {
 public:
  explicit Snapshots(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void save(const Snapshot& snapshot) const;
  /// The newest that can be read, if there is one.
  std::optional<Snapshot> newest() const;

 private:
  std::vector<std::filesystem::path> files() const;  ///< newest first
  std::filesystem::path folder_;
};

}  // namespace sextant::training
