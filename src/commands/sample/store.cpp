#include "sample/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <numeric>

#include "sextant/checkpoint/npz.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

constexpr char kMagic[] = "sextant samples 1\n";
constexpr int64_t kAlign = 4096;

struct SlotHead {
  uint32_t checksum;
  uint32_t index;  ///< low bits: a slot copied elsewhere is not valid there
  SampleRecord record;
};

uint32_t checksum(const SlotHead& head, const uint8_t* pixels, int64_t size) {
  uLong sum = crc32(0, reinterpret_cast<const Bytef*>(&head.index), sizeof head.index + sizeof head.record);
  return static_cast<uint32_t>(crc32_z(sum, pixels, static_cast<std::size_t>(size)));
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

}  // namespace

SampleStore::SampleStore(const std::filesystem::path& path, const json& identity, std::vector<int64_t> shape,
                         int64_t count)
    : path_(path), shape_(std::move(shape)), valid_(static_cast<std::size_t>(count)), records_(valid_.size()) {
  pixels_ = std::accumulate(shape_.begin(), shape_.end(), int64_t{1}, std::multiplies<>());
  try {
    open_or_create(identity);
    scan();
  } catch (...) {
    if (file_ >= 0) close(file_);
    throw;
  }
}

SampleStore::~SampleStore() { close(file_); }

json SampleStore::stored_identity(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic(sizeof kMagic - 1, '\0');
  std::string header;
  if (!file.read(magic.data(), static_cast<std::streamsize>(magic.size())) || magic != kMagic ||
      !std::getline(file, header))
    return {};
  const json identity = json::parse(header, nullptr, false);
  return identity.is_object() ? identity : json();
}

void SampleStore::open_or_create(const json& identity) {
  header_ = kMagic + identity.dump() + "\n";
  data_ = aligned(static_cast<int64_t>(header_.size()));
  file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) throw Error("cannot open " + path_.string() + ": " + reason(errno));
  if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
    throw Error("another run is writing to " + path_.parent_path().string() + "; choose another --out");
  }
  if (stored_identity(path_) == identity) {
    header_.clear();
  } else if (ftruncate(file_, 0) != 0) {
    throw Error("cannot empty " + path_.string() + ": " + reason(errno));
  }
  const int64_t size = slot_offset(count());
  if (const int error = posix_fallocate(file_, 0, size); error != 0) {
    throw Error("cannot reserve " + std::to_string((size >> 20) + 1) + " MiB for " + std::to_string(count()) +
                " samples in " + path_.string() + ": " + reason(error));
  }
  const auto free = std::filesystem::space(path_.parent_path()).available;
  if (free < static_cast<std::uintmax_t>(count() * pixels_)) {
    throw Error("samples.npz will need " + std::to_string((count() * pixels_ >> 20) + 1) + " MiB in " +
                path_.parent_path().string() + ", where " + std::to_string(free >> 20) + " MiB are free");
  }
}

int64_t SampleStore::slot_offset(int64_t sample) const {
  return data_ + sample * (static_cast<int64_t>(sizeof(SlotHead)) + pixels_);
}

void SampleStore::scan() {
  std::vector<uint8_t> pixels(static_cast<std::size_t>(pixels_));
  for (int64_t i = 0; i < count(); ++i) {
    SlotHead head{};
    const int64_t at = slot_offset(i);
    if (!read_at(file_, &head, sizeof head, at)) break;
    if (head.checksum == 0 && head.index == 0) continue;  // never written; its pixels need no reading
    if (!read_at(file_, pixels.data(), pixels_, at + static_cast<int64_t>(sizeof head))) break;
    if (head.index != static_cast<uint32_t>(i) || head.checksum != checksum(head, pixels.data(), pixels_)) continue;
    valid_[static_cast<std::size_t>(i)] = true;
    records_[static_cast<std::size_t>(i)] = head.record;
  }
}

int64_t SampleStore::finished() const { return std::count(valid_.begin(), valid_.end(), true); }

void SampleStore::put(const std::vector<int64_t>& samples, const Tensor& images,
                      const std::vector<SampleRecord>& records) {
  const Tensor pixels = images.to(at::kCPU).contiguous();
  const auto failed = [&] {
    return Error("cannot save samples to " + path_.string() + ": " + reason(errno) + "; " + std::to_string(finished()) +
                 " of " + std::to_string(count()) + " are saved, the same command continues there");
  };
  if (!write_at(file_, header_.data(), static_cast<int64_t>(header_.size()), 0)) throw failed();
  header_.clear();
  std::vector<uint8_t> slot(sizeof(SlotHead) + static_cast<std::size_t>(pixels_));
  for (std::size_t n = 0; n < samples.size(); ++n) {
    const uint8_t* image = pixels.data_ptr<uint8_t>() + static_cast<int64_t>(n) * pixels_;
    SlotHead head{0, static_cast<uint32_t>(samples[n]), records[n]};
    head.checksum = checksum(head, image, pixels_);
    std::memcpy(slot.data(), &head, sizeof head);
    std::memcpy(slot.data() + sizeof head, image, static_cast<std::size_t>(pixels_));
    if (!write_at(file_, slot.data(), static_cast<int64_t>(slot.size()), slot_offset(samples[n]))) throw failed();
  }
  if (fdatasync(file_) != 0) throw failed();
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
  Tensor images = at::empty({n, shape_[0], shape_[1], shape_[2]}, at::kByte);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = slot_offset(samples[static_cast<std::size_t>(i)]) + static_cast<int64_t>(sizeof(SlotHead));
    if (!read_at(file_, images.data_ptr<uint8_t>() + i * pixels_, pixels_, at)) {
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

void SampleStore::write_npz(const std::filesystem::path& path) const {
  constexpr int64_t kChunk = 64 << 20;  // bytes in memory at a time
  const int64_t rows = std::max<int64_t>(1, kChunk / pixels_);
  checkpoint::NpzWriter writer(path);
  writer.begin("arr_0", at::kByte, shape_);
  for (int64_t first = 0; first < count(); first += rows) writer.append(images(first, first + rows));
  std::vector<int64_t> labels;
  for (const SampleRecord& record : records()) labels.push_back(record.label);
  writer.add("arr_1", at::tensor(labels, at::kLong));
  writer.close();
}

}  // namespace sextant::commands
