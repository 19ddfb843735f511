#include "pickle/storages.h"

#include <algorithm>

namespace sextant::checkpoint {
namespace {

/// Index of the last element that a strided view reaches, or -1 on overflow. All sizes at least 1.
int64_t last_element(const TensorRecord& record) {
  int64_t last = record.offset;
  for (std::size_t i = 0; i < record.sizes.size(); ++i) {
    int64_t reach = 0;
    if (__builtin_mul_overflow(record.sizes[i] - 1, record.strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return -1;
    }
  }
  return last;
}

}  // namespace

const Tensor& TensorTable::base(std::size_t index, at::ScalarType dtype, const std::string& name) {
  Tensor& base = bases_[{index, dtype}];
  if (base.defined()) return base;
  const StorageRecord& storage = pickle_.storages[index];
  const Blob blob = storage.blob.owner ? storage.blob : fetch_(storage);
  if (dtype == at::kBool && !valid_bools(blob.bytes)) {
    throw Malformed("tensor " + shown(name) + " is bool but has bytes other than 0 and 1");
  }
  const std::size_t itemsize = c10::elementSize(dtype);
  const std::size_t numel = blob.bytes.size() / itemsize;
  base = tensor_over({blob.owner, blob.bytes.first(numel * itemsize)}, dtype, {static_cast<int64_t>(numel)});
  return base;
}

Tensor TensorTable::make(const TensorRecord& record, const std::string& name) {
  const auto refuse = [&](const std::string& reason) { throw Malformed("tensor " + shown(name) + " " + reason); };
  if (record.sizes.size() != record.strides.size()) refuse("has not as many strides as sizes");
  const int64_t numel = checked_numel(record.sizes);
  if (numel < 0) refuse("has negative, too many or overflowing sizes");
  if (record.offset < 0 || std::any_of(record.strides.begin(), record.strides.end(), [](int64_t s) { return s < 0; })) {
    refuse("has a negative offset or stride");
  }
  const Tensor& storage = base(record.storage, record.dtype, name);
  const int64_t last = numel == 0 ? 0 : last_element(record);
  if (numel > 0 && (last < 0 || last >= storage.numel())) {
    refuse("reaches outside its storage of " + std::to_string(storage.numel()) + " elements");
  }
  // A view with stride 0 may be far larger than what the file stores; a copy of it must stay affordable.
  constexpr int64_t kAlwaysFine = int64_t{1} << 22;
  if (numel > kAlwaysFine && numel / 1024 > storage.numel()) {
    refuse("expands " + std::to_string(storage.numel()) + " stored elements to " + std::to_string(numel));
  }
  // A tensor without elements may have any offset.
  return numel == 0 ? at::empty(record.sizes, storage.options())
                    : storage.as_strided(record.sizes, record.strides, record.offset);
}

}  // namespace sextant::checkpoint
