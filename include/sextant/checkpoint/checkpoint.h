// Reading and writing weights. Checkpoints are data: no reader here ever executes them.
//
// All functions throw CheckpointError with one line that names the file and what is wrong with it.
// Reading is memory-mapped: tensors alias the file's pages where the format stores them raw, so a
// checkpoint needs no second copy in memory. A returned tensor keeps its mapping alive; treat it as
// read-only (the mapping is private: writes never reach the file).
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sextant/checkpoint/state_dict.h"

namespace sextant::checkpoint {

/// What a checkpoint file holds.
struct Checkpoint {
  std::filesystem::path source;  ///< the file
  StateDict tensors;             ///< nested dictionaries, lists and modules joined with dots; a bare tensor is ""
  std::map<std::string, std::string> metadata;  ///< safetensors' `__metadata__`; empty for other formats
  std::string format;  ///< "safetensors", "pytorch-zip", "torchscript", "pytorch-legacy", "pickle"

  /// What else the file holds, shaped like it: numbers, texts, options (argparse.Namespace too). EDM's networks are
  /// {"class_name": "EDMPrecond", "init_args": [...], "init_kwargs": {...}}, under "ema" in the published files; other
  /// objects are {"class": name}. Empty for safetensors.
  nlohmann::json config = nlohmann::json::object();
  std::vector<std::string> unread;  ///< classes that the reader does not know; their objects were left out, tensors too
  std::vector<std::string> groups;  ///< top-level names that hold a dictionary or module rather than a tensor

  /// The weights, ready for a network: the first of the wrappers `ema`, `ema_model`, `model_ema`, `state_dict_ema`,
  /// `ema_state_dict`, `state_dict`, `model_state_dict`, `model` that is there as a dictionary or module is unwrapped,
  /// and prefixes `module.` and `_orig_mod.` that every name carries are dropped, one after the other. Safetensors
  /// files have no wrappers. Tensors are shared with `tensors`.
  StateDict weights() const;
};

/// Reads a checkpoint file, names as they stand in it.
Checkpoint load(const std::filesystem::path& path);

/// Writes tensors (any device, any strides) as safetensors, atomically: `path` is either the old file
/// or the complete new one. `metadata` goes to `__metadata__`.
void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata = {});

}  // namespace sextant::checkpoint
