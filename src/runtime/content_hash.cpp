#include "internal/runtime/content_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace sextant {

struct ContentHash::State {
  XXH3_state_t xxh3;
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh3); }

ContentHash::~ContentHash() = default;

void ContentHash::add(const void* data, std::size_t size) {
  const uint64_t length = size;
  XXH3_128bits_update(&state_->xxh3, &length, sizeof length);
  XXH3_128bits_update(&state_->xxh3, data, size);
}

std::string ContentHash::digits() const {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(&state_->xxh3));
  std::string text;
  for (const unsigned char byte : bytes.digest) {
    for (const int digit : {byte >> 4, byte & 15}) text += "0123456789abcdef"[digit];
  }
  return text;
}

}  // namespace sextant
