#include "fuzz/targets.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/data/images.h"
#include "sextant/runtime/error.h"

namespace sextant::fuzz {

void npz(const std::filesystem::path& file) {
  const checkpoint::NpzReader reader(file);
  for (const std::string& name : reader.names()) {
    try {
      reader.shape(name);
      reader.read(name);
    } catch (const CheckpointError&) {
    }
  }
  const auto images = data::open_npz_images(file);
  images->image(images->size() - 1);
}

}  // namespace sextant::fuzz
