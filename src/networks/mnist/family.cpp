// sextant's own small network of features for MNIST-sized images.
#include "internal/networks/family.h"

#include <cmath>

#include "initial.h"
#include "mnist/features.h"
#include "shapes.h"

namespace sextant::networks::mnist {
namespace {

nlohmann::json deduce(const checkpoint::StateDict& weights) {
  std::vector<int64_t> channels;
  for (int i = 1; i <= 4; ++i) channels.push_back(size_of(weights, "conv" + std::to_string(i) + ".weight", 0));
  const int64_t inputs = size_of(weights, "fc1.weight", 1);
  if (channels.back() == 0 || inputs == 0 || !weights.contains("fc2.weight")) return nullptr;
  const auto side = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(inputs / channels.back()))));
  return {{"image_size", 4 * side},
          {"in_channels", size_of(weights, "conv1.weight", 1)},
          {"channels", channels},
          {"features", size_of(weights, "fc1.weight", 0)},
          {"num_classes", size_of(weights, "fc2.weight", 0)}};
}

}  // namespace

Family features_family() {
  return {.type = "mnist-features",
          .role = Role::kFeatures,
          .make = make_from<MnistFeatures, read_config>,
          .deduce = deduce,
          .initialise = default_initial};
}

}  // namespace sextant::networks::mnist
