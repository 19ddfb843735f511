#include "internal/runtime/files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "internal/runtime/folder.h"
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

std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  constexpr int kDeepest = 32;
  std::vector<fs::path> files;
  std::error_code problem;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::follow_directory_symlink, problem);
  for (; !problem && entries != fs::recursive_directory_iterator(); entries.increment(problem)) {
    if (entries.depth() > kDeepest) {
      throw Error(entries->path().string() + ": is nested too deep; is it a link to a folder around it?");
    }
    std::error_code ignored;  // of a link that leads nowhere
    if (entries->is_regular_file(ignored)) files.push_back(entries->path());
  }
  if (problem) throw Error(folder.string() + ": cannot be listed: " + problem.message());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace sextant
