#include "shapes.h"

namespace sextant::networks {

int64_t size_of(const checkpoint::StateDict& weights, const std::string& name, int64_t dim) {
  if (!weights.contains(name) || weights.at(name).dim() <= dim) return 0;
  return weights.at(name).size(dim);
}

std::vector<int64_t> blocks_of_stages(const checkpoint::StateDict& weights) {
  std::vector<int64_t> blocks;
  for (;;) {
    const std::string stage = "layer" + std::to_string(blocks.size() + 1) + ".";
    int64_t count = 0;
    while (weights.contains(stage + std::to_string(count) + ".conv1.weight")) ++count;
    if (count == 0) return blocks;
    blocks.push_back(count);
  }
}

}  // namespace sextant::networks
