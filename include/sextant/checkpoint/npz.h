// npz: numpy's archive of arrays. All functions throw CheckpointError that names the file.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::checkpoint {

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
/// need not be held in memory. `path` appears, complete, at close(); without close() nothing does.
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

/// Writes arrays as numpy.savez does, atomically.
void save_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, Tensor>>& arrays);

}  // namespace sextant::checkpoint
