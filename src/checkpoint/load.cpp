#include "checkpoint/formats.h"

namespace sextant {

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  return checkpoint::read_safetensors(checkpoint::MappedFile::open(path));
}

}  // namespace sextant
