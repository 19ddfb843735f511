#include "common/writable_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;

void check_writable_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error && !fs::is_directory(folder))
    throw Error("cannot make the folder " + folder.string() + ": " + error.message());
  const fs::path probe = folder / (".probe" + std::to_string(getpid()));
  const int file = open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) throw Error("cannot write in the folder " + folder.string() + ": " + std::strerror(errno));
  close(file);
  unlink(probe.c_str());
}

}  // namespace sextant::commands
