#include "internal/evaluation/hash_of.h"

#include <fstream>
#include <vector>

#include "internal/runtime/content_hash.h"
#include "internal/runtime/folder.h"
#include "sextant/runtime/error.h"

namespace sextant::evaluation {
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

std::string hash_of(const std::filesystem::path& path) {
  ContentHash hash;
  if (!std::filesystem::is_directory(path)) {
    // A pipe or a device may have no end.
    if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path)) {
      throw DataError(path.string() + " is no regular file");
    }
    add_file(hash, path);
    return hash.digits();
  }
  for (const auto& file : files_below(path)) {
    hash.add(file.lexically_relative(path).string());
    add_file(hash, file);
  }
  return hash.digits();
}

std::string hash_of(const networks::Network& network) {
  ContentHash hash;
  for (const auto& entry : network.parameters().entries()) {
    hash.add(entry.name);
    hash.add(entry.tensor);
  }
  return hash.digits();
}

}  // namespace sextant::evaluation
