#include "tar.h"

#include "fuzz/targets.h"

namespace sextant::fuzz {

void tar(const std::filesystem::path& file) {
  data::read_whole(file);
  data::read_tar(file, [](const std::string& name) { return !name.ends_with(".html"); });
}

}  // namespace sextant::fuzz
