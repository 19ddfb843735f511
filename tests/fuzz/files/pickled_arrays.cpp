#include "internal/checkpoint/pickled_arrays.h"

#include <ATen/ATen.h>

#include "fuzz/targets.h"

namespace sextant::fuzz {

void pickled_arrays(const std::filesystem::path& file) {
  const auto mapped = checkpoint::MappedFile::open(file);
  const checkpoint::PickledArrays found = checkpoint::read_pickled_arrays({mapped, mapped->bytes()});
  for (const auto& [name, array] : found.arrays) array.clone();
}

}  // namespace sextant::fuzz
