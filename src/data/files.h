// Whole files and gzip streams, for the readers of this module.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "internal/checkpoint/file.h"
#include "sextant/runtime/error.h"

namespace sextant::data {

using checkpoint::Bytes;

inline DataError bad_file(const std::filesystem::path& path, const std::string& reason) {
  return DataError(path.string() + ": " + reason);
}

/// checkpoint::MappedFile::open with this module's error.
std::shared_ptr<const checkpoint::MappedFile> map_file(const std::filesystem::path& path);

/// What lies in a folder, sorted.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

/// The bytes of a file, inflated if it is gzipped, read in order.
class ByteStream {
 public:
  explicit ByteStream(const std::filesystem::path& path);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// Fills `out` with the next `count` bytes; throws DataError when fewer are left.
  void read(uint8_t* out, std::size_t count);
  /// Up to `count` bytes; how many there were.
  std::size_t read_some(uint8_t* out, std::size_t count);
  void skip(uint64_t count);
  /// The most that all reads together can yield: bounds allocations by what the file can hold.
  uint64_t most() const;

 private:
  struct Inflater;
  std::filesystem::path path_;
  std::shared_ptr<const checkpoint::MappedFile> file_;
  std::size_t position_ = 0;  ///< of a file that is not gzipped
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace sextant::data
