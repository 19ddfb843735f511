#include "drawing/claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

std::filesystem::path claim_file(const std::filesystem::path& folder) { return folder / ".drawing"; }

}  // namespace

Claim::Claim(const std::filesystem::path& folder, bool needed) {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  const std::filesystem::path lock = claim_file(folder);
  file_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0 && needed) throw Error("cannot open " + lock.string() + ": " + std::strerror(errno));
  // Some file systems have no locks: there nobody holds one.
  held_ = file_ < 0 || flock(file_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

Claim::~Claim() {
  if (file_ >= 0) close(file_);
}

bool Claim::made(const std::filesystem::path& folder) { return std::filesystem::exists(claim_file(folder)); }

}  // namespace sextant::commands
