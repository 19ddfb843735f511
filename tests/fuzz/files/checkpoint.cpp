#include "sextant/checkpoint/checkpoint.h"

#include <ATen/ATen.h>

#include "fuzz/targets.h"

namespace sextant::fuzz {

void checkpoint(const std::filesystem::path& file) {
  const checkpoint::Checkpoint contents = checkpoint::load(file);
  contents.weights();
  contents.config.dump();
  // Every byte that a tensor claims has to be there.
  int64_t budget = 1 << 20;
  for (const auto& [name, tensor] : contents.tensors) {
    if (tensor.numel() > budget) continue;
    budget -= tensor.numel();
    tensor.clone();
  }
}

}  // namespace sextant::fuzz
