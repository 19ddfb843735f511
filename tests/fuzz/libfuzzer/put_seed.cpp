#include <fstream>

#include "fuzz/libfuzzer/seeds.h"

namespace sextant::fuzz {

namespace fs = std::filesystem;

void put_seed(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace sextant::fuzz
