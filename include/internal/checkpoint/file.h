// A file's bytes, mapped; tensors that alias them; and the one shape of this module's errors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "sextant/runtime/tensor.h"

namespace sextant::checkpoint {

using Bytes = std::span<const uint8_t>;

/// What a reader of this module throws about a file's contents: the reason alone. load() and load_npz() catch
/// it and put the file's name in front.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Text from a file made fit for one line of an error message: escaped, quoted, and cut when long.
std::string shown(std::string_view text);

/// A whole file mapped privately: pages are read when touched, writes never reach the file. Another process may write
/// to the file while it is mapped, and pages that were not read before show it: check_unchanged() tells.
class MappedFile {
 public:
  /// Throws Malformed when `path` is missing, unreadable or no regular file.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  Bytes bytes() const { return {data_, size_}; }

 private:
  MappedFile() = default;
  const uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Error where a file that is mapped was written to since it was opened (its size or time differ), which it names. A
/// file that another one has replaced is still there.
void check_unchanged();

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

inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Whether `text` is well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

/// A contiguous tensor over blob.bytes, whose length must be numel * itemsize. It aliases them and keeps the owner
/// alive, unless they are misaligned for `dtype`: then it is a copy.
Tensor tensor_over(const Blob& blob, at::ScalarType dtype, at::IntArrayRef sizes);

}  // namespace sextant::checkpoint
