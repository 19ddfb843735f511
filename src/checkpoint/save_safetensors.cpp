#include <algorithm>
#include <numeric>

#include "internal/checkpoint/file.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::checkpoint {
namespace {

const char* dtype_name(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return "F64";
    case at::kFloat:
      return "F32";
    case at::kHalf:
      return "F16";
    case at::kBFloat16:
      return "BF16";
    case at::kLong:
      return "I64";
    case at::kInt:
      return "I32";
    case at::kShort:
      return "I16";
    case at::kChar:
      return "I8";
    case at::kByte:
      return "U8";
    case at::kBool:
      return "BOOL";
    default:
      return nullptr;
  }
}

[[noreturn]] void refuse_to_save(const std::filesystem::path& path, const std::string& reason) {
  throw CheckpointError(path.string() + ": " + reason);
}

std::string json_text(const std::filesystem::path& path, const std::string& text) {
  if (!is_utf8(text)) refuse_to_save(path, "cannot hold " + shown(text) + ", which is not UTF-8");
  return nlohmann::json(text).dump();
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata) {
  if (tensors.empty()) refuse_to_save(path, "there are no tensors to save");
  const std::vector<StateDict::Item> items(tensors.begin(), tensors.end());
  // Widest elements first, so that every tensor is aligned; the header keeps the caller's order.
  std::vector<std::size_t> by_width(items.size());
  std::iota(by_width.begin(), by_width.end(), 0);
  std::stable_sort(by_width.begin(), by_width.end(), [&](std::size_t a, std::size_t b) {
    return items[a].second.element_size() > items[b].second.element_size();
  });
  std::vector<int64_t> begin(items.size());
  int64_t end = 0;
  for (const std::size_t i : by_width) {
    begin[i] = end;
    end += static_cast<int64_t>(items[i].second.nbytes());
  }

  std::string header = "{";
  if (!metadata.empty()) {
    std::string pairs;
    for (const auto& [key, value] : metadata) {
      pairs += c10::str(pairs.empty() ? "" : ",", json_text(path, key), ":", json_text(path, value));
    }
    header += "\"__metadata__\":{" + pairs + "}";
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& [name, tensor] = items[i];
    const char* dtype = dtype_name(tensor.scalar_type());
    if (!dtype) refuse_to_save(path, "tensor " + shown(name) + " has a dtype that safetensors does not know");
    if (name == "__metadata__") refuse_to_save(path, "a tensor must not be called __metadata__");
    const nlohmann::json entry = {{"dtype", dtype},
                                  {"shape", tensor.sizes().vec()},
                                  {"data_offsets", {begin[i], begin[i] + static_cast<int64_t>(tensor.nbytes())}}};
    header += c10::str(header.size() > 1 ? "," : "", json_text(path, name), ":", entry.dump());
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');

  AtomicFile file(path);
  uint64_t length = header.size();
  for (int i = 0; i < 8; ++i, length >>= 8) {
    const auto byte = static_cast<uint8_t>(length);
    file.write(&byte, 1);
  }
  file.write(header);
  for (const std::size_t i : by_width) {
    const Tensor tensor = items[i].second.detach().cpu().contiguous();
    if (tensor.numel() > 0) file.write(tensor.data_ptr(), tensor.nbytes());
  }
  file.commit();
}

}  // namespace sextant::checkpoint
