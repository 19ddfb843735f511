// A file that appears complete or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace sextant::checkpoint {

/// Writes to a hidden neighbour of `path` and renames it at commit(). Without commit() the neighbour is removed and an
/// existing file keeps its contents. All throw CheckpointError that names the file and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Overwrites bytes written before.
  void write_at(uint64_t offset, std::string_view text);
  uint64_t size() const { return size_; }

  /// Waits until the data is on disk, then renames.
  void commit();

  [[noreturn]] void fail(const std::string& reason) const;

 private:
  [[noreturn]] void fail_errno(const char* action) const;
  void write_all(const char* data, std::size_t size, uint64_t offset);

  std::filesystem::path path_, partial_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

}  // namespace sextant::checkpoint
