#include "internal/distributed/claims.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "process.h"
#include "sextant/runtime/error.h"

namespace sextant::distributed {

namespace fs = std::filesystem;

namespace {

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// A claim's text: host, boot, process namespace, process, start, each a word.
struct Owner {
  std::string host, boot, space, process, start;
};

Owner owner_in(const std::string& text) {
  Owner owner;
  std::istringstream words(text);
  words >> owner.host >> owner.boot >> owner.space >> owner.process >> owner.start;
  return owner;
}

std::string owner_text() {
  const std::string process = std::to_string(getpid());
  return machine() + " " + process + " " + began(process);
}

}  // namespace

Claims::Claims(fs::path folder, double lease) : folder_(std::move(folder)), lease_(lease), owner_(owner_text()) {
  renewer_ = std::thread([this] { renew(); });
}

Claims::~Claims() {
  release();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  closing_changed_.notify_all();
  renewer_.join();
}

fs::path Claims::file(int64_t unit) const { return folder_ / (std::to_string(unit) + ".claim"); }

bool Claims::create(int64_t unit) {
  const fs::path path = file(unit);
  const int claim = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (claim < 0 && (errno == EEXIST || errno == ENOENT)) return false;
  if (claim < 0) throw Error("cannot claim work in " + folder_.string() + ": " + std::strerror(errno));
  // One write of a line: who reads a shorter text knows nothing of the owner and waits for the lease.
  const bool written = write(claim, owner_.data(), owner_.size()) == static_cast<ssize_t>(owner_.size());
  const int error = errno;
  close(claim);
  if (written) return true;
  unlink(path.c_str());
  throw Error("cannot claim work in " + folder_.string() + ": " + std::strerror(error));
}

bool Claims::take(int64_t unit) {
  release();
  bool mine = create(unit);
  if (!mine && dead(unit)) {
    // Of several that find it dead one renames it. Another may rename the claim that the first has just made: both then
    // own the unit, which is harmless.
    const fs::path old = file(unit).string() + "." + std::to_string(getpid()) + ".dead";
    if (std::rename(file(unit).c_str(), old.c_str()) == 0) unlink(old.c_str());
    mine = create(unit);
  }
  if (!mine) return false;
  const std::lock_guard lock(mutex_);
  held_ = unit;
  seen_.erase(unit);
  return true;
}

void Claims::release() {
  const std::lock_guard lock(mutex_);
  if (!held_) return;
  // Not where another process took it over meanwhile.
  if (first_line(file(*held_)) == owner_) unlink(file(*held_).c_str());
  held_.reset();
}

bool Claims::held(int64_t unit) { return fs::exists(file(unit)) && !dead(unit); }

bool Claims::dead(int64_t unit) {
  struct stat state {};
  if (stat(file(unit).c_str(), &state) != 0) return errno == ENOENT;
  const Owner owner = owner_in(first_line(file(unit)));
  const Owner self = owner_in(owner_);
  const bool same_machine = owner.host == self.host && owner.boot == self.boot && owner.space == self.space;
  if (same_machine && !owner.start.empty() && began(owner.process) != owner.start) return true;
  const auto now = std::chrono::steady_clock::now();
  const int64_t renewed = state.st_mtim.tv_sec * 1'000'000'000 + state.st_mtim.tv_nsec;
  Seen& seen = seen_[unit];
  if (seen.inode != state.st_ino || seen.renewed != renewed) seen = {state.st_ino, renewed, now};
  return now - seen.since > lease_;
}

void Claims::renew() {
  std::unique_lock lock(mutex_);
  constexpr double kTimesInALease = 4;
  while (!closing_changed_.wait_for(lock, lease_ / kTimesInALease, [this] { return closing_; })) {
    if (held_) utimensat(AT_FDCWD, file(*held_).c_str(), nullptr, 0);
  }
}

}  // namespace sextant::distributed
