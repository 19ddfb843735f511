// A file's bytes, mapped; tensors that alias them; and the one shape of this room's errors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sextant/tensor.h"

namespace sextant::checkpoint {

using Bytes = std::span<const uint8_t>;

/// Text from a file made fit for one line of an error message: escaped, quoted, and cut when long.
std::string shown(std::string_view text);

/// A whole file mapped privately: pages are read when touched, writes never reach the file. The file must not be
/// truncated by another process while it is mapped.
class MappedFile {
 public:
  /// Throws CheckpointError when `path` is missing, unreadable or no regular file.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  Bytes bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }
  /// Throws CheckpointError "<path>: <reason>".
  [[noreturn]] void fail(const std::string& reason) const;

 private:
  explicit MappedFile(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
  const uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Bytes and what keeps them alive: a mapped file, or a buffer that was inflated from one.
struct Blob {
  std::shared_ptr<const void> owner;
  Bytes bytes;
};

/// The product of `sizes`, or -1 when one is negative, there are more than 64, or it does not fit an int64 (zeros
/// counted as ones, as strides are).
int64_t checked_numel(at::IntArrayRef sizes);

/// Whether every byte is 0 or 1: anything else in a bool tensor is undefined behaviour.
bool valid_bools(Bytes bytes);

/// A contiguous tensor over blob.bytes, whose length must be numel * itemsize. It aliases them and keeps the owner
/// alive, unless they are misaligned for `dtype`: then it is a copy.
Tensor tensor_over(const Blob& blob, at::ScalarType dtype, at::IntArrayRef sizes);

}  // namespace sextant::checkpoint
