#include <algorithm>
#include <cstring>

#include "formats.h"
#include "safetensors_header.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::checkpoint {
namespace {

constexpr uint64_t kLongestHeader = 100'000'000;  // the format's own limit

at::ScalarType dtype_named(const SafetensorsEntry& entry) {
  static const std::map<std::string, at::ScalarType> kKnown = {
      {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"I64", at::kLong},
      {"I32", at::kInt},    {"I16", at::kShort}, {"I8", at::kChar},  {"U8", at::kByte},       {"BOOL", at::kBool}};
  static const std::vector<std::string> kUnsupported = {"F4",      "F6_E2M3", "F6_E3M2", "F8_E4M3", "F8_E5M2",
                                                        "F8_E8M0", "U16",     "U32",     "U64",     "C64"};
  if (const auto found = kKnown.find(entry.dtype); found != kKnown.end()) return found->second;
  if (std::find(kUnsupported.begin(), kUnsupported.end(), entry.dtype) != kUnsupported.end()) {
    throw Malformed("tensor " + shown(entry.name) + " has dtype " + entry.dtype +
                    ", which is not supported; convert the file to F32, F16 or BF16");
  }
  throw Malformed("tensor " + shown(entry.name) + " has the unknown dtype " + shown(entry.dtype));
}

/// The header as text, its length checked against the file.
std::string_view header_text(Bytes bytes) {
  if (bytes.size() < 8) {
    throw Malformed("is too short for a safetensors file (" + std::to_string(bytes.size()) + " bytes)");
  }
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | bytes[i];
  if (length > bytes.size() - 8) {
    throw Malformed("the safetensors header claims " + std::to_string(length) + " bytes but " +
                    std::to_string(bytes.size() - 8) + " follow: truncated, or not a safetensors file");
  }
  if (length < 2 || length > kLongestHeader) {
    throw Malformed("the safetensors header has " + std::to_string(length) + " bytes, expected 2 to " +
                    std::to_string(kLongestHeader) + ": damaged, or not a safetensors file");
  }
  return {reinterpret_cast<const char*>(bytes.data()) + 8, length};
}

/// Every byte of the data belongs to exactly one tensor: no overlap, no hole, nothing before, between or after.
void check_layout(const std::vector<SafetensorsEntry>& entries, int64_t data_size) {
  std::vector<const SafetensorsEntry*> by_offset;
  for (const SafetensorsEntry& entry : entries) by_offset.push_back(&entry);
  std::sort(by_offset.begin(), by_offset.end(), [](auto* a, auto* b) { return a->offsets < b->offsets; });
  int64_t end = 0;
  for (const SafetensorsEntry* entry : by_offset) {
    if (entry->offsets[0] != end) {
      throw Malformed("tensor " + shown(entry->name) + " starts at byte " + std::to_string(entry->offsets[0]) +
                      " of the data where " + std::to_string(end) + " was expected: tensors overlap or leave a hole");
    }
    end = entry->offsets[1];
  }
  if (end != data_size) {
    throw Malformed("the tensors end at byte " + std::to_string(end) + " of " + std::to_string(data_size) +
                    " bytes of data: truncated, or trailing bytes");
  }
}

}  // namespace

Checkpoint read_safetensors(const std::shared_ptr<const MappedFile>& file) {
  const std::string_view text = header_text(file->bytes());
  SafetensorsHeader header = parse_safetensors_header(text);
  if (header.entries.empty()) throw Malformed("holds no tensors");

  const Bytes data = file->bytes().subspan(8 + text.size());
  Checkpoint checkpoint;
  checkpoint.metadata = std::move(header.metadata);
  checkpoint.format = Format::kSafetensors;
  for (const SafetensorsEntry& entry : header.entries) {
    const at::ScalarType dtype = dtype_named(entry);
    const int64_t begin = entry.offsets[0], end = entry.offsets[1];
    if (begin > end || static_cast<uint64_t>(end) > data.size()) {
      throw Malformed("tensor " + shown(entry.name) + " lies at bytes " + std::to_string(begin) + " to " +
                      std::to_string(end) + " of " + std::to_string(data.size()) +
                      " bytes of data: truncated or damaged");
    }
    const int64_t numel = checked_numel(entry.shape);
    const auto itemsize = static_cast<int64_t>(c10::elementSize(dtype));
    // Divide rather than multiply: numel * itemsize may overflow.
    if (numel < 0 || (end - begin) % itemsize != 0 || (end - begin) / itemsize != numel) {
      throw Malformed("tensor " + shown(entry.name) + " of dtype " + entry.dtype + " has " +
                      std::to_string(end - begin) + " bytes, which is not what its shape needs");
    }
    const Blob blob{file, data.subspan(begin, end - begin)};
    if (dtype == at::kBool && !valid_bools(blob.bytes)) {
      throw Malformed("tensor " + shown(entry.name) + " is BOOL but has bytes other than 0 and 1");
    }
    checkpoint.tensors.set(entry.name, tensor_over(blob, dtype, entry.shape));
  }
  check_layout(header.entries, static_cast<int64_t>(data.size()));
  return checkpoint;
}

}  // namespace sextant::checkpoint
