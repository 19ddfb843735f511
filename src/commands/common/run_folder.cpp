#include "common/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <random>

#include "internal/commands/made_folders.h"
#include "internal/runtime/files.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

thread_local MadeFolders* innermost = nullptr;

}  // namespace

MadeFolders::MadeFolders() : outer_(innermost), exceptions_(std::uncaught_exceptions()) { innermost = this; }

MadeFolders::~MadeFolders() {
  innermost = outer_;
  if (std::uncaught_exceptions() == exceptions_) return;
  // rmdir leaves what holds anything.
  std::sort(folders_.begin(), folders_.end(),
            [](const fs::path& a, const fs::path& b) { return a.native().size() > b.native().size(); });
  for (const fs::path& folder : folders_) rmdir(folder.c_str());
}

void MadeFolders::note(const fs::path& folder) {
  if (innermost == nullptr) return;
  std::error_code error;
  fs::path missing = fs::weakly_canonical(folder, error);
  if (!missing.has_filename()) missing = missing.parent_path();  // "out/"
  for (; !error && missing.has_relative_path() && !fs::exists(missing, error); missing = missing.parent_path()) {
    innermost->folders_.push_back(missing);
  }
}

void check_writable_folder(const fs::path& folder) {
  if (folder.empty()) throw UsageError("out is empty; name the folder that the results go to");
  MadeFolders::note(folder);
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
