#include <c10/util/StringUtil.h>

#include <algorithm>

#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"

namespace sextant::networks {

namespace {

/// A line of a config.json may ask for any number of layers of any width, and each would be given its place before a
/// weight is read.
void check_size(const std::string& name, std::size_t tensors, const std::vector<int64_t>& shape) {
  constexpr std::size_t kMostTensors = 100'000;
  constexpr int64_t kMostNumbers = int64_t{1} << 40;
  if (tensors >= kMostTensors) {
    throw CheckpointError("the model's configuration asks for more than " + std::to_string(kMostTensors) + " tensors");
  }
  int64_t room = kMostNumbers;
  for (const int64_t size : shape) {
    if (size < 0 || size > room) {
      throw CheckpointError("the model's configuration asks for '" + name + "' of the impossible shape " +
                            c10::str(at::IntArrayRef(shape)));
    }
    room /= std::max<int64_t>(1, size);
  }
}

}  // namespace

Tensor Parameters::declare(const std::string& name, std::vector<int64_t> shape, Kind kind) {
  check_size(name, entries_.size(), shape);
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
