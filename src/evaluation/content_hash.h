// A fast hash of contents, to recognise a file or a network again. It does not withstand an adversary.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "sextant/networks/network.h"

namespace sextant::evaluation {

class ContentHash {
 public:
  void add(const void* data, size_t size);
  void add(std::string_view text) { add(text.data(), text.size()); }
  std::string digits() const;  ///< 32 hexadecimal digits

 private:
  uint64_t low_ = 0x243F6A8885A308D3u;
  uint64_t high_ = 0x13198A2E03707344u;
};

/// Of a file's bytes, or of the names and bytes of all files below a folder. DataError where one cannot be read.
std::string hash_of(const std::filesystem::path& path);

/// Of a network's parameters: names, shapes and numbers.
std::string hash_of(const networks::Network& network);

}  // namespace sextant::evaluation
