#include "fuzz/targets.h"
#include "sextant/data/images.h"

namespace sextant::fuzz {

void image(const std::filesystem::path& file) { data::read_image(file, 3); }

}  // namespace sextant::fuzz
