// Tensors of a pickle: views of its storages. Tensors that share a storage in the file share it in memory.
#pragma once

#include <map>
#include <utility>

#include "pickle/tree.h"

namespace sextant::checkpoint {

class TensorTable {
 public:
  TensorTable(const Pickle& pickle, const FetchStorage& fetch) : pickle_(pickle), fetch_(fetch) {}

  /// The tensor of `record`, every number of which is checked. Throws Malformed that starts with `name`.
  Tensor make(const TensorRecord& record, const std::string& name);

 private:
  const Tensor& base(std::size_t storage, at::ScalarType dtype, const std::string& name);

  const Pickle& pickle_;
  const FetchStorage& fetch_;
  std::map<std::pair<std::size_t, at::ScalarType>, Tensor> bases_;
};

}  // namespace sextant::checkpoint
