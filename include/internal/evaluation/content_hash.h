// A fast hash of contents (XXH3, 128 bits), to recognise a file or a network again. It does not withstand an adversary.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "sextant/networks/network.h"

namespace sextant::evaluation {

class ContentHash {
 public:
  ContentHash();
  ~ContentHash();

  /// Where one piece ends and the next begins counts.
  void add(const void* data, size_t size);
  void add(std::string_view text) { add(text.data(), text.size()); }
  std::string digits() const;  ///< 32 hexadecimal digits

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The hash of a file's bytes, or of the names and bytes of all files below a folder. DataError where one cannot be
/// read.
std::string hash_of(const std::filesystem::path& path);

/// The hash of a network's parameters: names, shapes and numbers.
std::string hash_of(const networks::Network& network);

}  // namespace sextant::evaluation
