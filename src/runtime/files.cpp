#include "internal/runtime/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "sextant/runtime/error.h"

namespace sextant {

void write_atomically(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

std::string read_file(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || std::filesystem::is_directory(path)) {
    if (errno == 0) errno = EISDIR;
    throw Error("cannot read " + path.string() + ": " + std::strerror(errno));
  }
  return text;
}

}  // namespace sextant
