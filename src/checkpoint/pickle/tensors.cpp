// Storages and tensors of a pickle: records of numbers, checked when the tensors are made.
#include "pickle/legacy.h"
#include "pickle/machine.h"

namespace sextant::checkpoint {

std::vector<int64_t> PickleMachine::integers(ValueId id, const char* what) {
  const Value& list = out_.values[id];
  if (list.kind != Kind::kTuple && list.kind != Kind::kList) {
    throw Malformed(std::string("the pickle has no tuple in place of ") + what);
  }
  charge(list.items.size());
  std::vector<int64_t> numbers;
  numbers.reserve(list.items.size());
  for (const ValueId item : list.items) numbers.push_back(integer(item, what));
  return numbers;
}

/// (storage, offset, sizes, strides, ...[5] hooks, [6] dtype in v3)
ValueId PickleMachine::rebuild_tensor(std::span<const ValueId> arguments, bool typed) {
  TensorRecord tensor;
  tensor.storage = static_cast<std::size_t>(expect(arguments[0], Kind::kStorage, "a tensor's storage").integer);
  const StorageRecord& storage = out_.storages[tensor.storage];
  tensor.dtype = storage.dtype;
  tensor.offset = integer(arguments[1], "a storage offset");
  tensor.sizes = integers(arguments[2], "a tensor's sizes");
  tensor.strides = integers(arguments[3], "a tensor's strides");
  if (typed) {
    const Value& dtype = expect(arguments[6], Kind::kGlobal, "a dtype");
    if (dtype.symbol != Symbol::kDtype) throw Malformed("the pickle has no dtype in place of a dtype");
    tensor.dtype = dtype.dtype;
  } else if (storage.untyped) {
    throw Malformed("the pickle makes a tensor without a dtype");
  }
  out_.tensors.push_back(std::move(tensor));
  Value value;
  value.kind = Kind::kTensor;
  value.integer = static_cast<int64_t>(out_.tensors.size() - 1);
  push(std::move(value));
  return pop();
}

/// A complete legacy stream whose one object is a storage.
ValueId PickleMachine::load_from_bytes(ValueId id) {
  constexpr int kDeepest = 2;
  const std::string_view bytes = expect(id, Kind::kBytes, "a stored tensor").text;
  if (depth_ + 1 >= kDeepest) throw Malformed("a stored tensor contains another stored tensor");
  charge(bytes.size());
  StorageRecord storage =
      read_legacy_storage({input_.owner, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}}, depth_ + 1);
  storage.key = {};  // a key inside its own stream names nothing here
  out_.storages.push_back(std::move(storage));
  Value value;
  value.kind = Kind::kStorage;
  value.integer = static_cast<int64_t>(out_.storages.size() - 1);
  push(std::move(value));
  return pop();
}

/// ('storage', class, key, location, numel[, view]): the only persistent id PyTorch writes. The location is ignored:
/// all tensors arrive on the CPU.
ValueId PickleMachine::persistent_id(ValueId id) {
  const Value& tuple = expect(id, Kind::kTuple, "a storage reference");
  if (tuple.items.size() == 4 && out_.values[tuple.items[0]].text == "module") {
    expect(tuple.items[1], Kind::kGlobal, "a class");
    return tuple.items[1];
  }
  if (tuple.items.size() < 5 || out_.values[tuple.items[0]].kind != Kind::kText ||
      out_.values[tuple.items[0]].text != "storage") {
    throw Malformed("the pickle has a persistent reference that is neither storage nor class");
  }
  const Value& type = expect(tuple.items[1], Kind::kGlobal, "a storage class");
  if (type.symbol != Symbol::kStorageType) throw Malformed(shown(type.text) + " is no storage class");
  StorageRecord storage;
  storage.untyped = type.dtype == at::ScalarType::Undefined;
  storage.dtype = storage.untyped ? at::kByte : type.dtype;
  storage.key = expect(tuple.items[2], Kind::kText, "a storage key").text;
  storage.numel = storage.view_numel = integer(tuple.items[4], "a storage size");
  if (storage.numel < 0) throw Malformed("storage " + shown(storage.key) + " has a negative size");
  if (tuple.items.size() > 5 && tuple.items[5] != kNone) {
    const Value& view = expect(tuple.items[5], Kind::kTuple, "a view of a storage");
    if (view.items.size() != 3) throw Malformed("storage " + shown(storage.key) + " has a malformed view");
    storage.view_offset = integer(view.items[1], "a view's offset");
    storage.view_numel = integer(view.items[2], "a view's size");
    if (storage.view_offset < 0 || storage.view_numel < 0 || storage.view_offset > storage.numel ||
        storage.view_numel > storage.numel - storage.view_offset) {
      throw Malformed("storage " + shown(storage.key) + " has a view that reaches outside it");
    }
  }
  charge(storage.key.size());
  const std::string identity = std::to_string(static_cast<int>(type.dtype)) + ":" + std::to_string(storage.numel) +
                               ":" + std::to_string(storage.view_offset) + ":" + std::to_string(storage.view_numel) +
                               ":" + std::string(storage.key);
  const auto [known, added] = storage_index_.emplace(identity, out_.storages.size());
  if (added) out_.storages.push_back(std::move(storage));
  Value value;
  value.kind = Kind::kStorage;
  value.integer = static_cast<int64_t>(known->second);
  push(std::move(value));
  return pop();
}

}  // namespace sextant::checkpoint
