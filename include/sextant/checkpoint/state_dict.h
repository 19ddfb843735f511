// Weights by name.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::checkpoint {

/// Named tensors in the order the file lists them; names are unique.
class StateDict {
 public:
  using Item = std::pair<std::string, Tensor>;

  bool contains(const std::string& name) const { return index_.count(name) != 0; }
  /// The tensor called `name`; throws CheckpointError naming the nearest key.
  const Tensor& at(const std::string& name) const;
  /// Adds a tensor or replaces the one of that name.
  void set(const std::string& name, Tensor tensor);

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  std::vector<std::string> names() const;

 private:
  std::vector<Item> items_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace sextant::checkpoint
