#include "internal/checkpoint/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "sextant/runtime/error.h"

namespace sextant::checkpoint {

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 120;
  std::string out = "'";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      constexpr char kHex[] = "0123456789abcdef";
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out + (text.size() > kLongest ? "...'" : "'");
}

namespace {

/// The files that are mapped, and how they were when they were opened.
class Mapped {
 public:
  void add(const MappedFile* file, const std::filesystem::path& path, const struct stat& status) {
    const std::lock_guard lock(mutex_);
    files_[file] = {std::filesystem::absolute(path), status};
  }
  void remove(const MappedFile* file) {
    const std::lock_guard lock(mutex_);
    files_.erase(file);
  }
  void check() {
    const std::lock_guard lock(mutex_);
    for (const auto& [file, was] : files_) {
      struct stat now = {};
      if (::stat(was.path.c_str(), &now) != 0) continue;
      if (now.st_ino != was.status.st_ino || now.st_dev != was.status.st_dev) continue;
      if (now.st_size == was.status.st_size && now.st_mtim.tv_sec == was.status.st_mtim.tv_sec &&
          now.st_mtim.tv_nsec == was.status.st_mtim.tv_nsec) {
        continue;
      }
      throw CheckpointError(was.path.string() +
                            " was written to while it was in use; what was computed since may be "
                            "of neither the old file nor the new and is left out: start again");
    }
  }

 private:
  struct State {
    std::filesystem::path path;
    struct stat status;
  };
  std::mutex mutex_;
  std::map<const MappedFile*, State> files_;
};

Mapped& mapped() {
  static auto* const files = new Mapped;  // files are closed until the very end of the process
  return *files;
}

}  // namespace

void check_unchanged() { mapped().check(); }

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  std::shared_ptr<MappedFile> file(new MappedFile());
  // O_NONBLOCK: a FIFO must be refused, not waited for.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw Malformed(std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status = {};
  std::string problem;
  if (::fstat(fd, &status) != 0) {
    problem = std::string("cannot be read: ") + std::strerror(errno);
  } else if (S_ISDIR(status.st_mode)) {
    problem = "is a directory, expected a file";
  } else if (!S_ISREG(status.st_mode)) {
    problem = "is not a regular file";
  } else if (status.st_size > 0) {
    // Writable pages, so that an in-place operation on a loaded tensor changes a private copy instead of crashing.
    void* data = ::mmap(nullptr, status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (data == MAP_FAILED) {
      problem = std::string("cannot be mapped: ") + std::strerror(errno);
    } else {
      file->data_ = static_cast<const uint8_t*>(data);
      file->size_ = static_cast<std::size_t>(status.st_size);
      mapped().add(file.get(), path, status);
    }
  }
  ::close(fd);
  if (!problem.empty()) throw Malformed(problem);
  return file;
}

MappedFile::~MappedFile() {
  mapped().remove(this);
  if (data_) ::munmap(const_cast<uint8_t*>(data_), size_);
}

int64_t checked_numel(at::IntArrayRef sizes) {
  constexpr std::size_t kMostDimensions = 64;  // libtorch's own limit
  if (sizes.size() > kMostDimensions) return -1;
  int64_t nonzero = 1;
  bool empty = false;
  for (const int64_t size : sizes) {
    if (size < 0 || __builtin_mul_overflow(nonzero, std::max<int64_t>(size, 1), &nonzero)) return -1;
    empty |= size == 0;
  }
  return empty ? 0 : nonzero;
}

bool valid_bools(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte <= 1; });
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) -> unsigned { return at < text.size() ? static_cast<uint8_t>(text[at]) : 0; };
    const unsigned lead = byte(i);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    }
    const unsigned second = byte(i + 1);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool surrogate = lead == 0xed && second >= 0xa0, beyond = lead == 0xf4 && second >= 0x90;
    if (overlong || surrogate || beyond) return false;
    i += length;
  }
  return true;
}

Tensor tensor_over(const Blob& blob, at::ScalarType dtype, at::IntArrayRef sizes) {
  if (blob.bytes.empty()) return at::empty(sizes, dtype);
  // The pages are private and writable: libtorch's pointers are not const.
  auto* data = const_cast<uint8_t*>(blob.bytes.data());
  if (reinterpret_cast<uintptr_t>(data) % c10::elementSize(dtype) != 0) {
    Tensor copy = at::empty(sizes, dtype);
    std::memcpy(copy.data_ptr(), data, blob.bytes.size());
    return copy;
  }
  return at::from_blob(
      data, sizes, [owner = blob.owner](void*) {}, at::TensorOptions(dtype));
}

}  // namespace sextant::checkpoint
