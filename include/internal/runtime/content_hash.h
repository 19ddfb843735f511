// A fast hash of contents (XXH3, 128 bits), to recognise a file or a network again. It does not withstand an adversary.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "sextant/runtime/tensor.h"

namespace sextant {

class ContentHash {
 public:
  ContentHash();
  ~ContentHash();

  /// Where one piece ends and the next begins counts.
  void add(const void* data, std::size_t size);
  void add(std::string_view text) { add(text.data(), text.size()); }
  /// Its sizes and its numbers, wherever they lie.
  void add(const Tensor& tensor) {
    const Tensor values = tensor.to(at::kCPU).contiguous();
    add(values.sizes().data(), values.sizes().size() * sizeof(int64_t));
    add(values.data_ptr(), values.nbytes());
  }
  std::string digits() const;  ///< 32 hexadecimal digits; "" in a build without xxHash

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Digits as records hold them, with the name of the hash: "xxh3-128:0123..."; "" of none.
inline std::string named_hash(const std::string& digits) { return digits.empty() ? "" : "xxh3-128:" + digits; }

}  // namespace sextant
