#include "initial.h"

#include <cmath>

namespace sextant::networks {
namespace {

Tensor uniform_initial(int64_t fan, const Noise& noise) {
  return (2 * noise.uniform(0)[0] - 1) / std::sqrt(static_cast<double>(fan));
}

/// The weight of the layer whose bias `bias` is; null where the layer is a norm.
const Parameters::Entry* weight_of(const Parameters::Entry& bias, const Parameters& all) {
  const std::string name = bias.name.substr(0, bias.name.rfind('.')) + ".weight";
  for (const Parameters::Entry& entry : all.entries()) {
    if (entry.name == name) return entry.shape.size() >= 2 ? &entry : nullptr;
  }
  return nullptr;
}

}  // namespace

int64_t fan_in(const Parameters::Entry& weight) {
  int64_t fan = 1;
  for (std::size_t dim = 1; dim < weight.shape.size(); ++dim) fan *= weight.shape[dim];
  return fan;
}

Tensor normal_initial(double deviation, const Noise& noise) { return noise.normal(0)[0] * deviation; }

Tensor he_initial(int64_t fan, const Noise& noise) {
  return normal_initial(std::sqrt(2.0) / std::sqrt(static_cast<double>(fan)), noise);
}

Tensor default_initial(const Parameters::Entry& entry, const Parameters& all, const Noise& noise) {
  if (entry.name.ends_with("running_var")) return at::ones(entry.shape);
  if (entry.name.ends_with("running_mean")) return at::zeros(entry.shape);
  if (entry.shape.size() >= 2) return uniform_initial(fan_in(entry), noise);
  if (entry.name.ends_with(".weight")) return at::ones(entry.shape);
  const Parameters::Entry* weight = weight_of(entry, all);
  return weight ? uniform_initial(fan_in(*weight), noise) : at::zeros(entry.shape);
}

}  // namespace sextant::networks
