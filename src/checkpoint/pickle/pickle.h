// Python's pickle format, read as data.
//
// A pickle is a program for a stack machine that builds objects and calls functions by name. This machine builds a tree
// of plain values and knows a fixed list of functions by what they mean (pickle_globals.h): a tensor is rebuilt as a
// record of its storage, sizes and strides. It calls nothing, imports nothing; a name that is not on the list is an
// error or, where it is somebody's own class, an inert placeholder.
//
// Costs are bounded by the length of the pickle: every value takes at least one byte of it, whatever copies values is
// charged against a budget, nothing recurses, and lengths are checked against the bytes that are there before anything
// is allocated.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "internal/checkpoint/file.h"
#include "pickle/globals.h"

namespace sextant::checkpoint {

using ValueId = uint32_t;

enum class Kind : uint8_t {
  kNone,
  kBool,     ///< integer: 0 or 1
  kInt,      ///< integer
  kBigInt,   ///< text: little-endian two's complement, more than 8 bytes
  kFloat,    ///< real
  kText,     ///< text: UTF-8 by convention, unchecked
  kBytes,    ///< text
  kList,     ///< items
  kTuple,    ///< items
  kSet,      ///< items
  kDict,     ///< items: key, value, key, value...; also the mapping types of collections
  kGlobal,   ///< text: "module.name"; symbol says what it stands for
  kObject,   ///< text: class; items: arguments, state, then key, value... of a mapping subclass
  kStorage,  ///< integer: index into Pickle::storages
  kTensor,   ///< integer: index into Pickle::tensors
};

struct Value {
  Kind kind = Kind::kNone;
  Symbol symbol = Symbol::kLeaf;                     ///< of a global; kPersistent marks objects of EDM's persistence
  at::ScalarType dtype = at::ScalarType::Undefined;  ///< of a storage class or dtype global
  union {
    int64_t integer = 0;
    double real;
  };
  std::string_view text;
  std::vector<ValueId> items;
};

/// A storage that a pickle names. Its bytes lie elsewhere in the file, or in `blob` when they were inside the pickle.
struct StorageRecord {
  std::string_view key;
  at::ScalarType dtype = at::ScalarType::Undefined;  ///< Byte for untyped storages
  bool untyped = false;
  int64_t numel = 0;
  /// Legacy files: this storage is elements [view_offset, view_offset + view_numel) of the one called `key`.
  int64_t view_offset = 0, view_numel = 0;
  Blob blob;
};

/// A tensor as the pickle describes it: unchecked numbers.
struct TensorRecord {
  std::size_t storage = 0;
  at::ScalarType dtype = at::ScalarType::Undefined;
  int64_t offset = 0;
  std::vector<int64_t> sizes, strides;
};

/// A finished pickle. Values refer to each other by index, so that cycles and deep nesting cost nothing to destroy;
/// text refers to the pickle's bytes, which must outlive it, or to `texts`.
struct Pickle {
  std::vector<Value> values;
  std::vector<StorageRecord> storages;
  std::vector<TensorRecord> tensors;
  std::deque<std::string> texts;
  std::vector<std::string_view> unknown;  ///< names of Symbol::kUnknown, in the order in which they appear
  ValueId root = 0;
  std::size_t length = 0;  ///< bytes up to and including STOP

  const Value& operator[](ValueId id) const { return values[id]; }
  const Value& top() const { return values[root]; }
  /// The value of `key` (text) in a dict; null when absent.
  const Value* find(const Value& dict, std::string_view key) const;
};

/// Runs the pickle at the start of `bytes.bytes`. `depth` counts streams within byte strings within streams. Throws
/// Malformed.
Pickle read_pickle(const Blob& bytes, int depth = 0);

}  // namespace sextant::checkpoint
