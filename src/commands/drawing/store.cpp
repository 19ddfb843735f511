#include "drawing/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <numeric>

#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

constexpr char kMagic[] = "sextant samples 3\n";
constexpr char kMagicOfAnyVersion[] = "sextant samples ";
constexpr int64_t kAlign = 4096;

struct SlotHead {
  uint32_t checksum;
  uint32_t index;  ///< low bits: a slot copied elsewhere is not valid there
  SampleRecord record;
};

/// Of the head and what follows it in the slot.
uint32_t checksum(const SlotHead& head, const uint8_t* rest, std::size_t size) {
  uLong sum = crc32(0, reinterpret_cast<const Bytef*>(&head.index), sizeof head.index + sizeof head.record);
  return static_cast<uint32_t>(crc32_z(sum, rest, size));
}

int64_t aligned(int64_t size) { return (size + kAlign - 1) / kAlign * kAlign; }

bool read_at(int file, void* data, int64_t size, int64_t offset) {
  auto* out = static_cast<uint8_t*>(data);
  while (size > 0) {
    const ssize_t got = pread(file, out, static_cast<std::size_t>(size), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out += got;
    size -= got;
    offset += got;
  }
  return true;
}

bool write_at(int file, const void* data, int64_t size, int64_t offset) {
  const auto* in = static_cast<const uint8_t*>(data);
  while (size > 0) {
    const ssize_t put = pwrite(file, in, static_cast<std::size_t>(size), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    in += put;
    size -= put;
    offset += put;
  }
  return true;
}

std::string reason(int error) { return std::strerror(error); }

std::string beginning(const std::filesystem::path& path, std::size_t size) {
  if (!std::filesystem::is_regular_file(path)) return "";  // a pipe would be waited for
  std::ifstream file(path, std::ios::binary);
  std::string text(size, '\0');
  return file.read(text.data(), static_cast<std::streamsize>(size)) ? text : "";
}

/// `path`, made where it is not there, for this process alone.
int open_locked(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) throw Error("cannot open " + path.string() + ": " + reason(errno));
  struct stat opened {};
  struct stat named {};
  // Between the two calls another run may have put its own file there.
  // Some file systems have no locks: there nobody holds one.
  const bool locked = flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
  const bool alone =
      locked && fstat(file, &opened) == 0 && stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino;
  if (alone) return file;
  close(file);
  throw Error("another run is writing to " + path.parent_path().string() + "; choose another --out");
}

}  // namespace

SampleStore::SampleStore(const std::filesystem::path& path, const json& identity, std::vector<int64_t> shape,
                         int64_t count, int64_t trace_size, at::ScalarType dtype)
    : path_(path),
      shape_(std::move(shape)),
      dtype_(dtype),
      valid_(static_cast<std::size_t>(count)),
      trace_size_(trace_size) {
  pixels_ =
      std::accumulate(shape_.begin(), shape_.end(), static_cast<int64_t>(at::elementSize(dtype)), std::multiplies<>());
  try {
    open_or_create(identity);
    records_.resize(valid_.size());  // only where there is room on disk: of a billion images they fill the memory
    scan();
  } catch (...) {
    if (file_ >= 0 && !header_.empty()) unlink((former_ >= 0 ? neighbour() : path_).c_str());
    for (const int file : {file_, former_}) {
      if (file >= 0) close(file);
    }
    throw;
  }
}

SampleStore::~SampleStore() {
  if (finished() == 0) unlink((former_ >= 0 ? neighbour() : path_).c_str());
  close(file_);
  if (former_ >= 0) close(former_);
}

json SampleStore::stored_identity(const std::filesystem::path& path) {
  if (beginning(path, sizeof kMagic - 1) != kMagic) return {};
  std::ifstream file(path, std::ios::binary);
  std::string header;
  if (!file.seekg(sizeof kMagic - 1) || !std::getline(file, header)) return {};
  const json identity = json::parse(header, nullptr, false);
  return identity.is_object() ? identity : json();
}

bool SampleStore::of_another_version(const std::filesystem::path& path) {
  return beginning(path, sizeof kMagicOfAnyVersion - 1) == kMagicOfAnyVersion &&
         beginning(path, sizeof kMagic - 1) != kMagic;
}

void SampleStore::open_or_create(const json& identity) {
  header_ = kMagic + identity.dump() + "\n";
  data_ = aligned(static_cast<int64_t>(header_.size()));
  file_ = open_locked(path_);
  std::filesystem::remove(neighbour());  // of a run that ended before its first sample
  if (stored_identity(path_) == identity) {
    header_.clear();
  } else if (beginning(path_, sizeof kMagicOfAnyVersion - 1) == kMagicOfAnyVersion) {
    former_ = std::exchange(file_, -1);
    file_ = open_locked(neighbour());
  } else if (ftruncate(file_, 0) != 0) {
    throw Error("cannot empty " + path_.string() + ": " + reason(errno));
  }
  const int64_t size = slot_offset(count());
  const auto no_room = [&](const std::string& why) {
    return Error("cannot reserve " + std::to_string((size >> 20) + 1) + " MiB for " + std::to_string(count()) +
                 " samples in " + path_.string() + ": " + why);
  };
  // Asked first: a reservation that fails has taken all that is free meanwhile, from everybody.
  struct stat held {};
  const int64_t missing = fstat(file_, &held) == 0 ? size - static_cast<int64_t>(held.st_blocks) * 512 : 0;
  auto free = std::filesystem::space(path_.parent_path()).available;
  if (missing > 0 && free < static_cast<std::uintmax_t>(missing)) {
    throw no_room(reason(ENOSPC) + ", " + std::to_string(free >> 20) + " MiB are free");
  }
  if (const int error = posix_fallocate(file_, 0, size); error != 0) throw no_room(reason(error));
  free = std::filesystem::space(path_.parent_path()).available;
  if (free < static_cast<std::uintmax_t>(count() * pixels_)) {
    throw Error("samples.npz will need " + std::to_string((count() * pixels_ >> 20) + 1) + " MiB in " +
                path_.parent_path().string() + ", where " + std::to_string(free >> 20) + " MiB are free");
  }
}

int64_t SampleStore::slot_offset(int64_t sample) const {
  return data_ + sample * (static_cast<int64_t>(sizeof(SlotHead)) + trace_bytes() + pixels_);
}

void SampleStore::scan() {
  std::vector<uint8_t> rest(static_cast<std::size_t>(trace_bytes() + pixels_));
  for (int64_t i = 0; i < count(); ++i) {
    SlotHead head{};
    const int64_t at = slot_offset(i);
    if (!read_at(file_, &head, sizeof head, at)) break;
    if (head.checksum == 0 && head.index == 0) continue;  // never written; its pixels need no reading
    if (!read_at(file_, rest.data(), static_cast<int64_t>(rest.size()), at + static_cast<int64_t>(sizeof head))) break;
    if (head.index != static_cast<uint32_t>(i) || head.checksum != checksum(head, rest.data(), rest.size())) continue;
    valid_[static_cast<std::size_t>(i)] = true;
    records_[static_cast<std::size_t>(i)] = head.record;
  }
}

int64_t SampleStore::finished() const { return std::count(valid_.begin(), valid_.end(), true); }

void SampleStore::put(const std::vector<int64_t>& samples, const Tensor& images,
                      const std::vector<SampleRecord>& records, const Tensor& traces) {
  const Tensor pixels = images.to(at::kCPU, dtype_).contiguous();
  const auto* const bytes = static_cast<const uint8_t*>(pixels.data_ptr());
  const Tensor numbers = trace_size_ > 0 ? traces.to(at::kCPU, at::kDouble).contiguous() : at::empty({0}, at::kDouble);
  const auto n = static_cast<int64_t>(samples.size());
  if (pixels.numel() * static_cast<int64_t>(pixels.element_size()) != n * pixels_ || pixels.size(0) != n) {
    throw ShapeError(c10::str("sample store in ", path_.string(), ": expected ", n, " images of ",
                              at::IntArrayRef(shape_), ", got ", images.sizes()));
  }
  if (numbers.numel() != trace_size_ * n) {
    throw ShapeError(c10::str("sample store: expected ", trace_size_, " numbers a trace, got ", numbers.sizes()));
  }
  const auto failed = [&] {
    return Error("cannot save samples to " + path_.string() + ": " + reason(errno) + "; " + std::to_string(finished()) +
                 " of " + std::to_string(count()) + " are saved, the same command continues there");
  };
  if (!write_at(file_, header_.data(), static_cast<int64_t>(header_.size()), 0)) throw failed();
  header_.clear();
  const auto trace_size = static_cast<std::size_t>(trace_bytes());
  const auto image_size = static_cast<std::size_t>(pixels_);
  std::vector<uint8_t> slot(sizeof(SlotHead) + trace_size + image_size);
  uint8_t* const rest = slot.data() + sizeof(SlotHead);
  for (std::size_t n = 0; n < samples.size(); ++n) {
    const auto at = static_cast<int64_t>(n);
    if (trace_size > 0) std::memcpy(rest, numbers.data_ptr<double>() + at * trace_size_, trace_size);
    std::memcpy(rest + trace_size, bytes + at * pixels_, image_size);
    SlotHead head{0, static_cast<uint32_t>(samples[n]), records[n]};
    head.checksum = checksum(head, rest, trace_size + image_size);
    std::memcpy(slot.data(), &head, sizeof head);
    if (!write_at(file_, slot.data(), static_cast<int64_t>(slot.size()), slot_offset(samples[n]))) throw failed();
  }
  if (fdatasync(file_) != 0) throw failed();
  if (former_ >= 0) {
    if (std::rename(neighbour().c_str(), path_.c_str()) != 0 || !sync_folder(path_.parent_path())) throw failed();
    close(std::exchange(former_, -1));
  }
  for (std::size_t n = 0; n < samples.size(); ++n) {
    valid_[static_cast<std::size_t>(samples[n])] = true;
    records_[static_cast<std::size_t>(samples[n])] = records[n];
  }
}

Tensor SampleStore::images(int64_t first, int64_t end) const {
  std::vector<int64_t> samples;
  for (int64_t i = first; i < std::min(end, count()); ++i) {
    if (has(i)) samples.push_back(i);
  }
  const auto n = static_cast<int64_t>(samples.size());
  std::vector<int64_t> sizes = {n};
  sizes.insert(sizes.end(), shape_.begin(), shape_.end());
  Tensor images = at::empty(sizes, dtype_);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at =
        slot_offset(samples[static_cast<std::size_t>(i)]) + static_cast<int64_t>(sizeof(SlotHead)) + trace_bytes();
    if (!read_at(file_, static_cast<uint8_t*>(images.data_ptr()) + i * pixels_, pixels_, at)) {
      throw Error("cannot read " + path_.string() + ": " + reason(errno));
    }
  }
  return images;
}

std::vector<SampleRecord> SampleStore::records() const {
  std::vector<SampleRecord> records;
  for (int64_t i = 0; i < count(); ++i) {
    if (has(i)) records.push_back(records_[static_cast<std::size_t>(i)]);
  }
  return records;
}

std::vector<double> SampleStore::trace(int64_t sample) const {
  std::vector<double> numbers(static_cast<std::size_t>(trace_size_));
  const int64_t at = slot_offset(sample) + static_cast<int64_t>(sizeof(SlotHead));
  if (!read_at(file_, numbers.data(), trace_bytes(), at)) {
    throw Error("cannot read " + path_.string() + ": " + reason(errno));
  }
  return numbers;
}

void SampleStore::write_npz(const std::filesystem::path& path) const {
  constexpr int64_t kChunk = 64 << 20;  // bytes in memory at a time
  const int64_t rows = std::max<int64_t>(1, kChunk / pixels_);
  checkpoint::NpzWriter writer(path);
  writer.begin("arr_0", dtype_, shape_);
  for (int64_t first = 0; first < count(); first += rows) writer.append(images(first, first + rows));
  std::vector<int64_t> labels;
  for (const SampleRecord& record : records()) labels.push_back(record.label);
  writer.add("arr_1", at::tensor(labels, at::kLong));
  writer.close();
}

}  // namespace sextant::commands
