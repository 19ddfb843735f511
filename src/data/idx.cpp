// IDX, the format of MNIST: 00 00, element type, number of dimensions, then each size as a big-endian 32-bit number,
// then the elements.
#include "files.h"
#include "memory_images.h"

namespace sextant::data {
namespace {

namespace fs = std::filesystem;

Tensor read_idx(const fs::path& path, int64_t dimensions) {
  ByteStream stream(path);
  uint8_t head[4] = {};
  stream.read(head, 4);
  constexpr uint8_t kUnsignedByte = 8;
  if (head[0] != 0 || head[1] != 0 || head[2] != kUnsignedByte || head[3] != dimensions) {
    throw bad_file(path, "is no IDX file of bytes with " + std::to_string(dimensions) + " dimensions");
  }
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < dimensions; ++i) {
    uint8_t size[4] = {};
    stream.read(size, 4);
    sizes.push_back(int64_t{size[0]} << 24 | int64_t{size[1]} << 16 | int64_t{size[2]} << 8 | size[3]);
  }
  const int64_t numel = checkpoint::checked_numel(sizes);
  if (numel <= 0 || static_cast<uint64_t>(numel) > stream.most()) {
    throw bad_file(path, c10::str("claims ", sizes[0], " entries, none or more than the file can hold"));
  }
  Tensor elements = at::empty(sizes, at::kByte);
  stream.read(elements.data_ptr<uint8_t>(), static_cast<std::size_t>(numel));
  uint8_t extra = 0;
  if (stream.read_some(&extra, 1) != 0) throw bad_file(path, "has more in it than its header says");
  return elements;
}

/// "train-images-idx3-ubyte.gz" -> "train-labels-idx1-ubyte.gz", or without .gz: torchvision leaves files of both
/// kinds.
fs::path labels_beside(const fs::path& images) {
  std::string name = images.filename().string();
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"images", "labels"}, {"idx3", "idx1"}}) {
    const std::size_t at = name.find(from);
    if (at == std::string::npos) return {};
    name.replace(at, from.size(), to);
  }
  const fs::path same = images.parent_path() / name;
  fs::path other = same;
  if (same.extension() == ".gz") {
    other.replace_extension();
  } else {
    other += ".gz";
  }
  std::error_code ignored;
  for (const fs::path& path : {same, other}) {
    if (fs::exists(path, ignored)) return path;
  }
  return {};
}

}  // namespace

std::unique_ptr<ImageSet> open_idx(const fs::path& images, const fs::path& labels) {
  const Tensor pixels = read_idx(images, 3).unsqueeze(1);
  const fs::path label_path = labels.empty() ? labels_beside(images) : labels;
  Tensor numbers;
  if (!label_path.empty()) {
    numbers = read_idx(label_path, 1).to(at::kLong);
    if (numbers.size(0) != pixels.size(0)) {
      throw bad_file(label_path, c10::str("has ", numbers.size(0), " labels for ", pixels.size(0), " images in ",
                                          images.filename().string()));
    }
  }
  return std::make_unique<MemoryImages>(images.string(), pixels, numbers);
}

}  // namespace sextant::data
