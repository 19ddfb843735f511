#include "common/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "internal/runtime/files.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

void check_writable_folder(const fs::path& folder) {
  if (folder.empty()) throw UsageError("out is empty; name the folder that the results go to");
  std::error_code error;
  fs::create_directories(folder, error);
  if (error && !fs::is_directory(folder))
    throw Error("cannot make the folder " + folder.string() + ": " + error.message());
  // Processes of several machines may have one number.
  const fs::path probe = folder / (".probe" + std::to_string(std::random_device()()));
  const int file = open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) throw Error("cannot write in the folder " + folder.string() + ": " + std::strerror(errno));
  close(file);
  unlink(probe.c_str());
}

json former_record(const fs::path& file, const std::string& entry, bool replaced) {
  if (!fs::exists(file)) return {};
  json record = json::parse(read_file(file), nullptr, false);
  if (record.is_object()) return record.contains(entry) ? record : json();
  if (replaced) return {};
  throw UsageError(file.string() + " is damaged: it is no JSON of a run; restore it" + kChooseAnother);
}

}  // namespace sextant::commands
