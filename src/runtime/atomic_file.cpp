#include <c10/util/StringUtil.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "internal/runtime/files.h"
#include "sextant/runtime/error.h"

namespace sextant {

namespace fs = std::filesystem;

AtomicFile::AtomicFile(const fs::path& path) : path_(path) {
  std::error_code ignored;
  // A link keeps pointing where it did; devices and folders are never replaced.
  if (fs::is_symlink(path_, ignored)) path_ = fs::weakly_canonical(path_, ignored);
  if (fs::exists(path_, ignored) && !fs::is_regular_file(path_, ignored)) fail("exists and is not a regular file");
  static std::atomic<unsigned> counter{0};
  const std::string name = c10::str(".", path_.filename().string(), ".", ::getpid(), "-", counter++, ".partial");
  partial_ = path_.parent_path() / name;
  fd_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) fail_errno("cannot be created");
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(partial_.c_str());
}

void AtomicFile::fail(const std::string& reason) const { throw Error(path_.string() + ": " + reason); }

void AtomicFile::fail_errno(const char* action) const { fail(std::string(action) + ": " + std::strerror(errno)); }

void AtomicFile::write(const void* data, std::size_t size) {
  write_all(static_cast<const char*>(data), size, size_);
  size_ += size;
}

void AtomicFile::write_at(uint64_t offset, std::string_view text) { write_all(text.data(), text.size(), offset); }

void AtomicFile::write_all(const char* data, std::size_t size, uint64_t offset) {
  constexpr std::size_t kMost = 1 << 30;  // one write() moves at most 2 GiB
  while (size > 0) {
    const ssize_t written = ::pwrite(fd_, data, std::min(size, kMost), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_errno("cannot be written");
    data += written;
    offset += static_cast<uint64_t>(written);
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_) != 0) fail_errno("cannot be written");
  if (::rename(partial_.c_str(), path_.c_str()) != 0) fail_errno("cannot be replaced");
  ::close(fd_);
  fd_ = -1;
  sync_folder(path_.parent_path());  // the rename itself is durable once the folder is
}

bool sync_folder(const fs::path& folder) {
  const int directory = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const bool done = ::fsync(directory) == 0;
  ::close(directory);
  return done;
}

}  // namespace sextant
