#include "support/fill.h"

#include <ATen/Parallel.h>

#include <cmath>

namespace sextant::testing {
namespace {

uint64_t fnv1a64(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

uint64_t splitmix64(uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

}  // namespace

Tensor filled(const std::string& name, const std::vector<int64_t>& shape, const FillRule& rule, bool integer) {
  if (integer) return at::zeros(shape, at::kLong);
  Tensor tensor = at::empty(shape, at::kFloat);
  const uint64_t hash = fnv1a64(rule.prefix + name);
  double offset = 0;
  double scale = 0.1;
  if (rule.exceptions.contains(name)) {
    const auto& exception = rule.exceptions.at(name);
    if (exception.is_string()) return {};
    if (exception.at(0) == "const") return tensor.fill_(exception.at(1).get<double>());
    scale = exception.at(1).get<double>();
  } else if (shape.empty()) {
    return tensor.zero_();
  } else if (shape.size() >= 2) {
    double fan_in = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= static_cast<double>(shape[i]);
    scale = rule.gain * std::sqrt(3 / fan_in);
  } else if (ends_with(name, "running_var")) {
    offset = 1;
    scale = 0.5;
  } else if (name == "weight" || ends_with(name, ".weight")) {
    offset = 1;
  }
  float* data = tensor.data_ptr<float>();
  at::parallel_for(0, tensor.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double u = static_cast<double>(splitmix64(hash + static_cast<uint64_t>(i)) >> 40) * 0x1p-23 - 1;
      const volatile double product = scale * u;  // rounded before the sum: no fused multiply-add
      data[i] = static_cast<float>(offset + product);
    }
  });
  return tensor;
}

}  // namespace sextant::testing
