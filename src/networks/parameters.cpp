#include "sextant/networks/network.h"

namespace sextant::networks {

Tensor Parameters::declare(const std::string& name, std::vector<int64_t> shape, Kind kind) {
  Tensor handle = at::empty({0}, kind == Kind::kCounter ? at::kLong : at::kFloat);
  entries_.push_back({name, std::move(shape), kind, handle});
  return handle;
}

Tensor Parameters::declare_constant(const std::string& name, const Tensor& value) {
  Tensor handle = value.clone();
  entries_.push_back({name, value.sizes().vec(), Kind::kConstant, handle});
  return handle;
}

int64_t Parameters::count() const {
  int64_t count = 0;
  for (const Entry& entry : entries_) {
    if (entry.kind == Kind::kCounter) continue;
    int64_t numbers = 1;
    for (const int64_t size : entry.shape) numbers *= size;
    count += numbers;
  }
  return count;
}

}  // namespace sextant::networks
