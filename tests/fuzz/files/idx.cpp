#include "fuzz/targets.h"
#include "sextant/data/images.h"

namespace sextant::fuzz {

void idx(const std::filesystem::path& file) {
  const auto images = data::open_idx(file);
  images->image(images->size() - 1);
}

}  // namespace sextant::fuzz
