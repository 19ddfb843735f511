// Zip archives, read from memory: the container of .pt and .npz. Members are found through the central directory, which
// must agree with the file: names unique and without "..", data inside the file, no two members overlapping.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "internal/checkpoint/file.h"

namespace sextant::checkpoint {

/// Fields of 32 and 16 bits hold this where the number stands in the 64-bit extension.
inline constexpr uint64_t kFull32 = 0xffffffff, kFull16 = 0xffff;

struct ZipMember {
  std::string name;
  uint16_t flags = 0;
  uint16_t method = 0;  ///< 0 stored, 8 deflated
  uint32_t crc = 0;
  uint64_t compressed = 0, size = 0;
  uint64_t header = 0;  ///< of the local header
  Bytes data;           ///< as stored
};

class ZipArchive {
 public:
  /// Reads the directory, not the members. Throws Malformed.
  explicit ZipArchive(Blob file);

  const std::vector<ZipMember>& members() const { return members_; }
  const ZipMember* find(const std::string& name) const;

  /// The member's bytes, their CRC-32 checked: aliased where stored, inflated otherwise. Throws Malformed when it would
  /// inflate to more than `largest` bytes, or is encrypted or damaged.
  Blob read(const ZipMember& member, uint64_t largest = UINT64_MAX) const;

  /// Up to `count` bytes from the member's beginning, unchecked.
  std::string prefix(const ZipMember& member, std::size_t count) const;

 private:
  Blob file_;
  std::vector<ZipMember> members_;
  std::unordered_map<std::string, std::size_t> index_;
};

/// Whether the bytes start as a zip archive does.
bool is_zip(Bytes bytes);

}  // namespace sextant::checkpoint
