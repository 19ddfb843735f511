// Reading and writing weights. Checkpoints are data: no reader here ever executes them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::checkpoint {

/// Named tensors in the order the file lists them; names are unique.
class StateDict {
 public:
  using Item = std::pair<std::string, Tensor>;

  bool contains(const std::string& name) const { return index_.count(name) != 0; }
  /// The tensor called `name`; throws CheckpointError naming the nearest key.
  const Tensor& at(const std::string& name) const;
  /// Adds a tensor or replaces the one of that name.
  void set(const std::string& name, Tensor tensor);

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  std::vector<std::string> names() const;

 private:
  std::vector<Item> items_;
  std::unordered_map<std::string, std::size_t> index_;
};

// All functions throw CheckpointError with one line that names the file and what is wrong with it; those that write
// throw Error where it cannot be written.
// Reading is memory-mapped: tensors alias the file's pages where the format stores them raw, so a
// checkpoint needs no second copy in memory. A returned tensor keeps its mapping alive; treat it as
// read-only (the mapping is private: writes never reach the file).

/// What a file of weights is, whatever its name.
enum class Format {
  kSafetensors,
  kPyTorchZip,     ///< torch.save since 1.6
  kTorchScript,    ///< torch.jit.save: weights beside a program, which is not run
  kPyTorchLegacy,  ///< torch.save before 1.6
  kPickle,         ///< without storages: EDM's networks
};
/// Their words: "safetensors", "pytorch-zip", "torchscript", "pytorch-legacy", "pickle".
const std::vector<std::pair<std::string, Format>>& format_words();

/// What a checkpoint file holds.
struct Checkpoint {
  std::filesystem::path source;  ///< the file
  StateDict tensors;             ///< nested dictionaries, lists and modules joined with dots; a bare tensor is ""
  std::map<std::string, std::string> metadata;  ///< safetensors' `__metadata__`; empty for other formats
  Format format = Format::kSafetensors;

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

/// A model folder: `config.json` (type and every hyper-parameter) beside `model.safetensors` or the one
/// weights file that `config.json` names under "weights".
struct ModelFolder {
  nlohmann::json config;
  std::filesystem::path config_path;
  std::filesystem::path weights;  ///< of a model without: config_path
};

/// CheckpointError with one line where a part is missing or unusable. `has_weights` says of a config.json whether there
/// is a file of weights beside it; left out, there always is.
ModelFolder open_model_folder(const std::filesystem::path& folder,
                              bool (*has_weights)(const nlohmann::json& config) = nullptr);

// ---- npz ----------------------------------------------------------------------------------------------------------
//
// numpy's archive of arrays. All functions throw CheckpointError that names the file.

/// Reads arrays of an .npz one by one: npy versions 1 to 3, stored or deflated, C or Fortran order, either byte order.
/// Stored arrays alias the mapped file where their alignment allows. Object arrays, text and records are refused;
/// uint16, uint32 and uint64, which libtorch 1.13 lacks, arrive as the next wider signed type where they fit. Members
/// that are no .npy are ignored. Copies share the archive.
class NpzReader {
 public:
  explicit NpzReader(const std::filesystem::path& path);
  bool contains(const std::string& name) const;
  std::vector<std::string> names() const;                     ///< sorted
  std::vector<int64_t> shape(const std::string& name) const;  ///< as the header promises it; the data is not read
  Tensor read(const std::string& name) const;                 ///< native byte order, C order

 private:
  struct Archive;
  std::shared_ptr<Archive> archive_;
};

/// All arrays of an .npz by name; see NpzReader.
std::map<std::string, Tensor> load_npz(const std::filesystem::path& path);

/// Writes an .npz array by array as numpy.savez does (stored, npy version 1), an array also row by row, so that samples
/// need not be held in memory. `path` appears, complete, at close(); without close() nothing does. A name is not empty,
/// given once, and without '/' and '\\', or CheckpointError: programs that unpack would make folders of them.
class NpzWriter {
 public:
  explicit NpzWriter(const std::filesystem::path& path);
  ~NpzWriter();
  NpzWriter(const NpzWriter&) = delete;
  NpzWriter& operator=(const NpzWriter&) = delete;

  /// A whole array; any device, any strides.
  void add(const std::string& name, const Tensor& array);
  /// Starts an array whose rows have shape `row`; append() adds rows [n, row...] until the next begin(), add() or
  /// close().
  void begin(const std::string& name, at::ScalarType dtype, at::IntArrayRef row);
  /// Throws ShapeError when `rows` are not of that shape and dtype.
  void append(const Tensor& rows);
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes arrays as numpy.savez does, atomically; names as NpzWriter's.
void save_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, Tensor>>& arrays);

}  // namespace sextant::checkpoint
