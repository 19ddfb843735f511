#include "run_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "internal/training/snapshots.h"
#include "sextant/runtime/error.h"

namespace sextant::training {

namespace fs = std::filesystem;

namespace {

/// Keeps other trainings out of the folder for as long as it lives; null where the file system has no locks.
std::shared_ptr<const int> locked(const fs::path& folder) {
  const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return nullptr;  // whoever writes there says why
  std::shared_ptr<const int> lock(new int(file), [](const int* held) {
    close(*held);
    delete held;
  });
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return nullptr;
  throw Error("another training is writing to " + folder.string() + "; choose another out folder");
}

}  // namespace

RunFiles::RunFiles(fs::path folder, bool replaces)
    : folder_(std::move(folder)), lock_(locked(folder_)), beside_(replaces) {
  // Left by a run that never saved a snapshot, or that was killed while its files took their names.
  const bool interrupted = !fs::exists(folder_ / "checkpoints") && Snapshots(folder_ / "checkpoints.new").newest();
  std::error_code ignored;
  if (interrupted) {
    beside_ = true;
    adopt();
  } else {
    fs::remove_all(folder_ / "checkpoints.new", ignored);
    fs::remove(folder_ / "metrics.new.jsonl", ignored);
  }
}

RunFiles RunFiles::seen(fs::path folder, bool beside) {
  RunFiles files;
  files.folder_ = std::move(folder);
  files.beside_ = beside;
  return files;
}

void RunFiles::check_there() const {
  if (fs::exists(folder_)) return;
  throw Error(folder_.string() +
              ": No such file or directory: it was removed while the training was writing into it; start it again");
}

void RunFiles::adopt() {
  if (!beside_) return;
  beside_ = false;
  try {
    fs::remove(folder_ / "run.json");  // first: no record of files that are gone
    fs::remove_all(folder_ / "checkpoints");
    fs::rename(folder_ / "checkpoints.new", folder_ / "checkpoints");
    fs::remove(folder_ / "metrics.jsonl");
    if (fs::exists(folder_ / "metrics.new.jsonl")) fs::rename(folder_ / "metrics.new.jsonl", folder_ / "metrics.jsonl");
  } catch (const fs::filesystem_error& problem) {
    throw Error("cannot replace the training in " + folder_.string() + ": " + problem.code().message());
  }
}

}  // namespace sextant::training
