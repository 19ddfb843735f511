// A disk of a few pages, in memory.
#pragma once

#include <sys/mount.h>

#include <string>

#include "support/golden.h"

namespace sextant::testing {

/// Mounts a file system on a temporary folder; mounted() is false where that is not allowed.
class SmallDisk {
 public:
  explicit SmallDisk(std::size_t kilobytes)
      : mounted_(mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, size(kilobytes).c_str()) == 0) {}
  ~SmallDisk() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  bool resize(std::size_t kilobytes) const { return remount(0, size(kilobytes)); }
  /// False while a file in it is open for writing.
  bool make_read_only() const { return remount(MS_RDONLY, ""); }
  bool make_writable() const { return remount(0, ""); }

 private:
  static std::string size(std::size_t kilobytes) { return "size=" + std::to_string(kilobytes) + "k"; }
  bool remount(unsigned long flags, const std::string& data) const {
    return mount("tmpfs", folder_.path().c_str(), "tmpfs", MS_REMOUNT | flags, data.c_str()) == 0;
  }

  TemporaryFolder folder_;
  bool mounted_;
};

}  // namespace sextant::testing
