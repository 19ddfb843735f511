// The stack machine behind read_pickle(): pickle.cpp and pickle_opcodes.cpp decode opcodes, pickle_calls.cpp and
// pickle_tensors.cpp give calls their meaning.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pickle/pickle.h"

namespace sextant::checkpoint {

/// Values that every pickle starts with.
constexpr ValueId kNone = 0, kFalse = 1, kTrue = 2;

class PickleMachine {
 public:
  PickleMachine(const Blob& input, int depth);
  Pickle run();

 private:
  // Input: every read checks what is left.
  Bytes take(uint64_t count);
  uint64_t take_unsigned(int bytes);
  std::string_view take_line();
  std::string_view take_text(int length_bytes) { return as_text(take(take_unsigned(length_bytes))); }

  // Stack.
  ValueId push(Value value);
  ValueId push_text(Kind kind, std::string_view text);
  ValueId push_number(int64_t number);
  void push_decimal(std::string_view digits);
  ValueId pop();
  ValueId top() const;
  std::vector<ValueId> pop_mark();
  void build_tuple(std::size_t count);
  std::string_view keep(std::string text);
  /// Work beyond one step per byte: copies, inner streams. Throws when the pickle multiplies itself.
  void charge(std::size_t units);

  // Opcodes. `step` is false at STOP.
  bool step(uint8_t opcode);
  bool step_literal(uint8_t opcode);
  bool step_container(uint8_t opcode);
  bool step_object(uint8_t opcode);
  void append(ValueId list, std::span<const ValueId> items);
  void set_items(ValueId dict, std::span<const ValueId> items);
  void memoize(uint64_t slot);
  void recall(uint64_t slot);

  // Calls (pickle_calls.cpp, pickle_tensors.cpp).
  ValueId global(std::string_view module, std::string_view name);
  ValueId call(ValueId function, std::span<const ValueId> arguments);
  ValueId construct(ValueId type, std::span<const ValueId> arguments);
  ValueId make_object(std::string_view type, Symbol symbol, ValueId arguments, ValueId state);
  ValueId make_dict(std::span<const ValueId> arguments);
  ValueId rebuild_tensor(std::span<const ValueId> arguments, bool typed);
  ValueId load_from_bytes(ValueId bytes);
  ValueId persistent_object(ValueId meta);
  ValueId encode(std::span<const ValueId> arguments);
  ValueId numpy_scalar(std::span<const ValueId> arguments);
  ValueId persistent_id(ValueId id);
  void build(ValueId object, ValueId state);
  std::vector<int64_t> integers(ValueId tuple, const char* what);
  int64_t integer(ValueId id, const char* what) const;
  const Value& expect(ValueId id, Kind kind, const char* what) const;

  Blob input_;
  int depth_;
  std::size_t position_ = 0;
  std::size_t budget_;
  Pickle out_;
  std::vector<ValueId> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<uint64_t, ValueId> memo_;
  std::unordered_map<std::string, ValueId> globals_;
  std::unordered_map<std::string, std::size_t> storage_index_;
};

}  // namespace sextant::checkpoint
