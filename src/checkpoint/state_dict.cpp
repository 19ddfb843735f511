#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::checkpoint {

const Tensor& StateDict::at(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) throw CheckpointError("no tensor '" + name + "'." + did_you_mean(name, names()));
  return items_[found->second].second;
}

void StateDict::set(const std::string& name, Tensor tensor) {
  const auto [found, added] = index_.emplace(name, items_.size());
  if (added) {
    items_.emplace_back(name, std::move(tensor));
  } else {
    items_[found->second].second = std::move(tensor);
  }
}

std::vector<std::string> StateDict::names() const {
  std::vector<std::string> names;
  names.reserve(items_.size());
  for (const auto& item : items_) names.push_back(item.first);
  return names;
}

}  // namespace sextant::checkpoint
