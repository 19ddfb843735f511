// Files read whole, and files that appear complete or not at all. Error names the file and the system's reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace sextant {

/// Writes to a hidden neighbour of `path` and renames it at commit(): `path` is either the old file or the complete new
/// one, also when the disk is full or the process is killed. Without commit() the neighbour is removed.
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

 private:
  [[noreturn]] void fail(const std::string& reason) const;
  [[noreturn]] void fail_errno(const char* action) const;
  void write_all(const char* data, std::size_t size, uint64_t offset);

  std::filesystem::path path_, partial_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

/// A file of these bytes, by way of AtomicFile.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Waits until the names in a folder ("" is the current one) are on disk, renamed ones among them; false where that
/// cannot be had.
bool sync_folder(const std::filesystem::path& folder);

/// The whole file.
std::string read_file(const std::filesystem::path& path);

}  // namespace sextant
