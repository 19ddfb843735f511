// A fast hash of contents (XXH3, 128 bits), to recognise a file or a network again. It does not withstand an adversary.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace sextant {

class ContentHash {
 public:
  ContentHash();
  ~ContentHash();

  /// Where one piece ends and the next begins counts.
  void add(const void* data, std::size_t size);
  void add(std::string_view text) { add(text.data(), text.size()); }
  std::string digits() const;  ///< 32 hexadecimal digits; "" in a build without xxHash

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sextant
