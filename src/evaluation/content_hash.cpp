#include "content_hash.h"

#include <cstring>
#include <fstream>

#include "sextant/runtime/error.h"

namespace sextant::evaluation {
namespace {

/// The upper and lower half of the 128-bit product, folded: every bit of both factors reaches every bit of the result.
uint64_t fold(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

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

void ContentHash::add(const void* data, size_t size) {
  const auto* at = static_cast<const unsigned char*>(data);
  const auto mix = [&](uint64_t word) {
    low_ = fold(low_ ^ word, 0x9E3779B97F4A7C15u);
    high_ = fold(high_ + word, 0xE7037ED1A0B428DBu) ^ low_;
  };
  mix(size);  // so that where one piece ends and the next begins counts
  for (; size >= 8; at += 8, size -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    mix(word);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, at, size);
  mix(rest);
}

std::string ContentHash::digits() const {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(fold(low_ ^ high_, 0x8EBC6AF09C88C6E3u)),
                static_cast<unsigned long long>(high_));
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
