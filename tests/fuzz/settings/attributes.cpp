#include "common/attributes.h"

#include "fuzz/targets.h"

namespace sextant::fuzz {

void attributes(const std::filesystem::path& file) {
  commands::parse_attributes(file.string(), {"smiling", "male", "young", "blond hair"});
}

}  // namespace sextant::fuzz
