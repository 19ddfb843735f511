// CIFAR-10, binary version: records of a label byte and 32x32 pixels, red, green, blue plane by plane.
#include "cifar.h"

#include <algorithm>
#include <map>

#include "files.h"
#include "memory_images.h"

namespace sextant::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 32, kPixels = 3 * kSide * kSide, kRecord = 1 + kPixels, kClasses = 10;

/// Files of the data set by name, in order of name.
using Parts = std::map<std::string, Tensor>;

bool is_batch(const std::string& name, Split split) {
  return split == Split::kTest ? name == "test_batch.bin"
                               : name.starts_with("data_batch_") && fs::path(name).extension() == ".bin";
}

Tensor read_all(ByteStream& stream, uint64_t size) {
  Tensor bytes = at::empty({static_cast<int64_t>(size)}, at::kByte);
  stream.read(bytes.data_ptr<uint8_t>(), size);
  return bytes;
}

Tensor read_file(const fs::path& path) {
  ByteStream stream(path);
  return read_all(stream, fs::file_size(path));
}

/// The tar members that `wanted` names; headers are 512 bytes, sizes octal, data padded to 512.
template <typename Wanted>
Parts read_tar(const fs::path& path, Wanted wanted) {
  constexpr std::size_t kBlock = 512;
  ByteStream stream(path);
  Parts parts;
  uint8_t header[kBlock] = {};
  while (stream.read_some(header, kBlock) == kBlock && header[0] != 0) {
    const auto field = [&](std::size_t at, std::size_t width) {
      const std::string_view text(reinterpret_cast<const char*>(header) + at, width);
      return std::string(text.substr(0, text.find('\0')));
    };
    if (field(257, 5) != "ustar") throw bad_file(path, "is no tar archive");
    uint64_t size = 0;
    for (const char digit : field(124, 12)) {
      if (digit == ' ') continue;
      if (digit < '0' || digit > '7') throw bad_file(path, "has a tar member of unreadable size");
      size = size * 8 + static_cast<uint64_t>(digit - '0');
    }
    const std::string name = fs::path(field(0, 100)).filename().string();
    const char type = static_cast<char>(header[156]);
    const bool regular = type == '0' || type == '\0';
    const uint64_t padding = (kBlock - size % kBlock) % kBlock;
    if (!regular || !wanted(name)) {
      stream.skip(size + padding);
      continue;
    }
    if (size > stream.most()) throw bad_file(path, "has a member larger than the archive can hold");
    if (!parts.emplace(name, read_all(stream, size)).second) throw bad_file(path, "has two members called " + name);
    stream.skip(padding);
  }
  return parts;
}

Parts read_folder(const fs::path& folder, Split split) {
  Parts parts;
  for (const fs::path& entry : entries_of(folder)) {
    const std::string name = entry.filename().string();
    if (is_batch(name, split) || name == "batches.meta.txt") parts[name] = read_file(entry);
  }
  return parts;
}

std::vector<std::string> lines_of(const Tensor& text) {
  std::vector<std::string> lines(1);
  for (int64_t i = 0; i < text.numel(); ++i) {
    const char c = static_cast<char>(text.data_ptr<uint8_t>()[i]);
    if (c == '\n') {
      lines.emplace_back();
    } else if (c != '\r') {
      lines.back() += c;
    }
  }
  std::erase(lines, "");
  return lines;
}

}  // namespace

bool is_cifar10(const fs::path& path) {
  if (fs::is_directory(path)) {
    const std::vector<fs::path> entries = entries_of(path);
    return std::any_of(entries.begin(), entries.end(), [](const fs::path& entry) {
      const std::string name = entry.filename().string();
      return is_batch(name, Split::kTrain) || is_batch(name, Split::kTest);
    });
  }
  const fs::path extension = path.extension();
  return extension == ".bin" || extension == ".tgz" || extension == ".tar" || path.stem().extension() == ".tar";
}

std::unique_ptr<ImageSet> open_cifar10(const fs::path& path, Split split) {
  Parts parts;
  if (fs::is_directory(path)) {
    parts = read_folder(path, split);
  } else if (path.extension() == ".bin") {
    parts[path.filename().string()] = read_file(path);
  } else {
    parts =
        read_tar(path, [&](const std::string& name) { return is_batch(name, split) || name == "batches.meta.txt"; });
  }
  std::vector<std::string> class_names;
  if (const auto meta = parts.find("batches.meta.txt"); meta != parts.end()) {
    class_names = lines_of(meta->second);
    parts.erase(meta);
  }
  if (parts.empty()) {
    throw bad_file(path, std::string("holds no ") + (split == Split::kTest ? "test_batch.bin" : "data_batch_*.bin") +
                             "; expected CIFAR-10's binary version");
  }
  std::vector<Tensor> records;
  for (const auto& [name, bytes] : parts) {
    const fs::path file = fs::is_directory(path) ? path / name : path;
    if (bytes.numel() == 0 || bytes.numel() % kRecord != 0) {
      throw bad_file(file, name + " has " + std::to_string(bytes.numel()) + " bytes, which are no records of " +
                               std::to_string(kRecord));
    }
    records.push_back(bytes.view({-1, kRecord}));
    if (records.back().select(1, 0).max().item<int64_t>() >= kClasses)
      throw bad_file(file, name + " has a label above 9");
  }
  const Tensor all = records.size() == 1 ? records[0] : at::cat(records);
  return std::make_unique<MemoryImages>(path.string(), all.slice(1, 1).unflatten(1, {3, kSide, kSide}),
                                        all.select(1, 0).to(at::kLong), class_names);
}

}  // namespace sextant::data
