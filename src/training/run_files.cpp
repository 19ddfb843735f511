#include "run_files.h"

#include "internal/training/snapshots.h"
#include "sextant/runtime/error.h"

namespace sextant::training {

namespace fs = std::filesystem;

RunFiles::RunFiles(fs::path folder, bool replaces) : folder_(std::move(folder)), beside_(replaces) {
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
