#include "internal/evaluation/content_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "sextant/runtime/error.h"

namespace sextant::evaluation {

struct ContentHash::State {
  XXH3_state_t xxh3;
};

namespace {

void add_file(ContentHash& hash, const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> block(1 << 20);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    hash.add(block.data(), static_cast<size_t>(file.gcount()));
  }
  if (!file.eof()) throw DataError(path.string() + " cannot be read");
}

}  // namespace

ContentHash::ContentHash() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh3); }

ContentHash::~ContentHash() = default;

void ContentHash::add(const void* data, size_t size) {
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

std::string hash_of(const std::filesystem::path& path) {
  ContentHash hash;
  if (!std::filesystem::is_directory(path)) {
    add_file(hash, path);
    return hash.digits();
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    hash.add(file.lexically_relative(path).string());
    add_file(hash, file);
  }
  return hash.digits();
}

std::string hash_of(const networks::Network& network) {
  ContentHash hash;
  for (const auto& entry : network.parameters().entries()) {
    const Tensor values = entry.tensor.to(at::kCPU).contiguous();
    hash.add(entry.name);
    hash.add(values.sizes().data(), values.sizes().size() * sizeof(int64_t));
    hash.add(values.data_ptr(), values.nbytes());
  }
  return hash.digits();
}

}  // namespace sextant::evaluation
