#include "internal/runtime/files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "sextant/runtime/error.h"

namespace sextant {
namespace {

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

}  // namespace

void write_atomically(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

/// Also what comes out of a pipe until its last writer closes it. Folders, devices and pipes without a writer are
/// errors.
std::string read_file(const std::filesystem::path& path) {
  constexpr std::size_t kMostOfAPipe = 64 << 20;
  const auto cannot = [&](const std::string& reason) { return Error("cannot read " + path.string() + ": " + reason); };
  // Without O_NONBLOCK it would wait for somebody who writes to a pipe, perhaps for ever.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat about {};
  if (file.number < 0 || fstat(file.number, &about) != 0) throw cannot(std::strerror(errno));
  if (S_ISDIR(about.st_mode)) throw cannot(std::strerror(EISDIR));
  const bool pipe = S_ISFIFO(about.st_mode);
  if (!pipe && !S_ISREG(about.st_mode)) throw cannot("it is neither a file nor a pipe");
  std::string text;
  std::vector<char> block(1 << 16);
  while (const ssize_t got = ::read(file.number, block.data(), block.size())) {
    if (got > 0) {
      text.append(block.data(), static_cast<std::size_t>(got));
    } else if (errno == EAGAIN) {
      pollfd more{file.number, POLLIN, 0};
      poll(&more, 1, -1);
    } else if (errno != EINTR) {
      throw cannot(std::strerror(errno));
    }
    if (pipe && text.size() > kMostOfAPipe) throw cannot("more than 64 MB come out of this pipe");
  }
  if (pipe && text.empty()) throw cannot("nothing comes out of this pipe");
  return text;
}

}  // namespace sextant
