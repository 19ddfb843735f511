// Arrays by name, whatever file holds them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::evaluation {

/// The arrays of an .npz, of a pickle of numpy arrays (.pkl, .pickle; nested names joined by dots) or of a checkpoint
/// file. Those of an .npz stay in it until read. DataError that names the file.
class StoredArrays {
 public:
  explicit StoredArrays(const std::filesystem::path& path);
  ~StoredArrays();

  bool contains(const std::string& name) const;
  std::vector<std::string> names() const;  ///< sorted
  std::vector<int64_t> shape(const std::string& name) const;
  Tensor read(const std::string& name) const;
  /// "mu float32 [3], n int64 []", at most the first ten: for messages.
  std::string listed() const;

 private:
  struct Source;
  std::filesystem::path path_;
  std::unique_ptr<Source> source_;
};

/// Whether the name says that a file of arrays is no set of images: a pickle or a checkpoint.
bool is_named_as_arrays(const std::filesystem::path& path);

}  // namespace sextant::evaluation
