#include "internal/runtime/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "sextant/runtime/error.h"

namespace sextant {
namespace {

Error failed(const std::string& what, const std::filesystem::path& path) {
  return Error("cannot " + what + " " + path.string() + ": " + std::strerror(errno));
}

void write_whole(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(file) != 0) throw errno;
}

}  // namespace

void write_atomically(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path temporary = path.string() + ".tmp" + std::to_string(getpid());
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) throw failed("write", path);
  try {
    write_whole(file, bytes);
  } catch (const int reason) {
    close(file);
    unlink(temporary.c_str());
    errno = reason;
    throw failed("write", path);
  }
  if (close(file) != 0 || rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = failed("write", path);
    unlink(temporary.c_str());
    throw error;
  }
}

std::string read_file(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || std::filesystem::is_directory(path)) {
    if (errno == 0) errno = EISDIR;
    throw failed("read", path);
  }
  return text;
}

}  // namespace sextant
