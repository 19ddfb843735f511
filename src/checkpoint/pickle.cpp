#include "checkpoint/pickle.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "checkpoint/pickle_machine.h"

namespace sextant::checkpoint {
namespace {

constexpr int kNewestProtocol = 5;
constexpr std::size_t kMostValues = 20'000'000;  // 1.3 GB of Values; real checkpoints have thousands
constexpr ValueId kNone = 0, kFalse = 1, kTrue = 2;

std::string hex(uint8_t byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

}  // namespace

const Value* Pickle::find(const Value& dict, std::string_view key) const {
  if (dict.kind != Kind::kDict) return nullptr;
  for (std::size_t i = dict.items.size(); i >= 2; i -= 2) {  // the last one wins, as in Python
    const Value& candidate = values[dict.items[i - 2]];
    if (candidate.kind == Kind::kText && candidate.text == key) return &values[dict.items[i - 1]];
  }
  return nullptr;
}

Pickle read_pickle(const Blob& bytes, int depth) { return PickleMachine(bytes, depth).run(); }

PickleMachine::PickleMachine(const Blob& input, int depth)
    : input_(input), depth_(depth), budget_(4096 + 16 * input.bytes.size()) {
  out_.values.resize(3);
  out_.values[kFalse].kind = out_.values[kTrue].kind = Kind::kBool;
  out_.values[kTrue].integer = 1;
}

Pickle PickleMachine::run() {
  while (step(take(1)[0])) {
  }
  out_.root = pop();
  if (!stack_.empty()) throw Malformed("the pickle stops with values left over: damaged");
  out_.length = position_;
  return std::move(out_);
}

Bytes PickleMachine::take(uint64_t count) {
  if (count > input_.bytes.size() - position_) {
    throw Malformed("the pickle ends early, or claims more bytes than there are, at byte " + std::to_string(position_));
  }
  const Bytes taken = input_.bytes.subspan(position_, count);
  position_ += count;
  return taken;
}

uint64_t PickleMachine::take_unsigned(int count) {
  const Bytes bytes = take(count);
  uint64_t number = 0;
  for (int i = count - 1; i >= 0; --i) number = number << 8 | bytes[i];
  return number;
}

std::string_view PickleMachine::take_line() {
  const std::string_view rest = as_text(input_.bytes.subspan(position_));
  const std::size_t length = rest.find('\n');
  if (length == std::string_view::npos) throw Malformed("the pickle ends within a line: truncated or damaged");
  position_ += length + 1;
  return rest.substr(0, length);
}

ValueId PickleMachine::push(Value value) {
  if (out_.values.size() >= kMostValues) {
    throw Malformed("the pickle holds more than " + std::to_string(kMostValues) + " values");
  }
  out_.values.push_back(std::move(value));
  stack_.push_back(static_cast<ValueId>(out_.values.size() - 1));
  return stack_.back();
}

ValueId PickleMachine::push_text(Kind kind, std::string_view text) {
  Value value;
  value.kind = kind;
  value.text = text;
  return push(std::move(value));
}

ValueId PickleMachine::push_number(int64_t number) {
  Value value;
  value.kind = Kind::kInt;
  value.integer = number;
  return push(std::move(value));
}

/// Protocol 0: digits, perhaps with a final L.
void PickleMachine::push_decimal(std::string_view digits) {
  if (!digits.empty() && digits.back() == 'L') digits.remove_suffix(1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    throw Malformed("the pickle has a malformed or too large number " + shown(digits));
  }
  push_number(number);
}

ValueId PickleMachine::top() const {
  if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) {
    throw Malformed("the pickle takes a value from an empty stack at byte " + std::to_string(position_));
  }
  return stack_.back();
}

ValueId PickleMachine::pop() {
  const ValueId id = top();
  stack_.pop_back();
  return id;
}

std::vector<ValueId> PickleMachine::pop_mark() {
  if (marks_.empty()) throw Malformed("the pickle lacks a mark at byte " + std::to_string(position_));
  std::vector<ValueId> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return items;
}

void PickleMachine::build_tuple(std::size_t count) {
  Value tuple;
  tuple.kind = Kind::kTuple;
  tuple.items.resize(count);
  for (std::size_t i = count; i-- > 0;) tuple.items[i] = pop();
  push(std::move(tuple));
}

std::string_view PickleMachine::keep(std::string text) {
  charge(text.size());
  return out_.texts.emplace_back(std::move(text));
}

void PickleMachine::charge(std::size_t units) {
  if (units > budget_) throw Malformed("the pickle multiplies its contents beyond any checkpoint's need");
  budget_ -= units;
}

void PickleMachine::append(ValueId list, std::span<const ValueId> items) {
  Value& target = out_.values[list];
  if (target.kind != Kind::kList && target.kind != Kind::kSet) {
    throw Malformed("the pickle appends to something that is no list");
  }
  target.items.insert(target.items.end(), items.begin(), items.end());
}

void PickleMachine::set_items(ValueId dict, std::span<const ValueId> items) {
  Value& target = out_.values[dict];
  // A mapping subclass keeps its items behind arguments and state.
  if (target.kind != Kind::kDict && target.kind != Kind::kObject) {
    throw Malformed("the pickle sets items of something that is no dictionary");
  }
  if (items.size() % 2 != 0) throw Malformed("the pickle has a dictionary key without a value");
  target.items.insert(target.items.end(), items.begin(), items.end());
}

void PickleMachine::memoize(uint64_t slot) { memo_[slot] = top(); }

void PickleMachine::recall(uint64_t slot) {
  const auto found = memo_.find(slot);
  if (found == memo_.end()) throw Malformed("the pickle recalls memo " + std::to_string(slot) + ", never written");
  stack_.push_back(found->second);
}

bool PickleMachine::step(uint8_t opcode) {
  switch (opcode) {
    case '.':  // STOP
      return false;
    case 0x80: {  // PROTO
      const uint64_t protocol = take_unsigned(1);
      if (protocol <= kNewestProtocol) return true;
      throw Malformed("pickle protocol " + std::to_string(protocol) + " is not known; expected at most " +
                      std::to_string(kNewestProtocol));
    }
    case 0x95:  // FRAME: only its length matters, as a check
      if (take_unsigned(8) <= input_.bytes.size() - position_) return true;
      throw Malformed("a frame of the pickle claims more bytes than there are");
    case '(':  // MARK
      marks_.push_back(stack_.size());
      return true;
    case '0':  // POP
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        pop();
      }
      return true;
    case '1':  // POP_MARK
      pop_mark();
      return true;
    case '2':  // DUP
      stack_.push_back(top());
      return true;
    case 'p': {  // PUT
      const std::string_view line = take_line();
      uint64_t slot = 0;
      if (std::from_chars(line.data(), line.data() + line.size(), slot).ec != std::errc()) {
        throw Malformed("the pickle has a malformed memo number " + shown(line));
      }
      return memoize(slot), true;
    }
    case 'q':  // BINPUT
      return memoize(take_unsigned(1)), true;
    case 'r':  // LONG_BINPUT
      return memoize(take_unsigned(4)), true;
    case 0x94:  // MEMOIZE
      return memoize(memo_.size()), true;
    case 'g': {  // GET
      const std::string_view line = take_line();
      uint64_t slot = 0;
      if (std::from_chars(line.data(), line.data() + line.size(), slot).ec != std::errc()) {
        throw Malformed("the pickle has a malformed memo number " + shown(line));
      }
      return recall(slot), true;
    }
    case 'h':  // BINGET
      return recall(take_unsigned(1)), true;
    case 'j':  // LONG_BINGET
      return recall(take_unsigned(4)), true;
    default:
      if (step_literal(opcode) || step_container(opcode) || step_object(opcode)) return true;
      throw Malformed("the pickle has the unknown or unsupported opcode " + hex(opcode) + " at byte " +
                      std::to_string(position_ - 1));
  }
}

bool PickleMachine::step_literal(uint8_t opcode) {
  switch (opcode) {
    case 'N':  // NONE
      return stack_.push_back(kNone), true;
    case 0x88:  // NEWTRUE
      return stack_.push_back(kTrue), true;
    case 0x89:  // NEWFALSE
      return stack_.push_back(kFalse), true;
    case 'I': {  // INT, and protocol 0's booleans
      const std::string_view line = take_line();
      if (line == "00" || line == "01") return stack_.push_back(line == "01" ? kTrue : kFalse), true;
      return push_decimal(line), true;
    }
    case 'L':  // LONG
      return push_decimal(take_line()), true;
    case 'J':  // BININT
      return push_number(static_cast<int32_t>(take_unsigned(4))), true;
    case 'K':  // BININT1
      return push_number(static_cast<int64_t>(take_unsigned(1))), true;
    case 'M':  // BININT2
      return push_number(static_cast<int64_t>(take_unsigned(2))), true;
    case 0x8a:    // LONG1
    case 0x8b: {  // LONG4: a negative length is huge as unsigned, and refused by take()
      const Bytes bytes = take(take_unsigned(opcode == 0x8a ? 1 : 4));
      const bool negative = !bytes.empty() && bytes.back() >= 0x80;
      std::size_t size = bytes.size();
      while (size > 8 && bytes[size - 1] == (negative ? 0xff : 0) && (bytes[size - 2] >= 0x80) == negative) --size;
      if (size > 8) return push_text(Kind::kBigInt, as_text(bytes)), true;
      uint64_t number = negative ? ~uint64_t{0} : 0;
      for (std::size_t i = size; i-- > 0;) number = number << 8 | bytes[i];
      return push_number(static_cast<int64_t>(number)), true;
    }
    case 'F':    // FLOAT
    case 'G': {  // BINFLOAT: big-endian
      Value value;
      value.kind = Kind::kFloat;
      if (opcode == 'G') {
        uint64_t bits = 0;
        for (const uint8_t byte : take(8)) bits = bits << 8 | byte;
        value.real = std::bit_cast<double>(bits);
      } else {
        const std::string_view line = take_line();
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value.real);
        if (error != std::errc()) throw Malformed("the pickle has a malformed number " + shown(line));
      }
      return push(std::move(value)), true;
    }
    case 'S':    // STRING: Python 2's repr
    case 'V': {  // UNICODE: raw-unicode-escape
      std::string_view line = take_line();
      if (opcode == 'S') {
        if (line.size() < 2 || line.front() != line.back() || (line.front() != '\'' && line.front() != '"')) {
          throw Malformed("the pickle has an unquoted string");
        }
        line = line.substr(1, line.size() - 2);
      }
      // No checkpoint writer in use emits escapes here; guessing at them could rename a tensor.
      if (line.find('\\') != std::string_view::npos) {
        throw Malformed("the pickle has an escaped protocol 0 string; save it again with protocol 2 or newer");
      }
      return push_text(Kind::kText, line), true;
    }
    case 'U':   // SHORT_BINSTRING
    case 0x8c:  // SHORT_BINUNICODE
      return push_text(Kind::kText, take_text(1)), true;
    case 'T':  // BINSTRING
    case 'X':  // BINUNICODE
      return push_text(Kind::kText, take_text(4)), true;
    case 0x8d:  // BINUNICODE8
      return push_text(Kind::kText, take_text(8)), true;
    case 'C':  // SHORT_BINBYTES
      return push_text(Kind::kBytes, take_text(1)), true;
    case 'B':  // BINBYTES
      return push_text(Kind::kBytes, take_text(4)), true;
    case 0x8e:  // BINBYTES8
    case 0x96:  // BYTEARRAY8
      return push_text(Kind::kBytes, take_text(8)), true;
    default:
      return false;
  }
}

bool PickleMachine::step_container(uint8_t opcode) {
  const auto push_items = [&](Kind kind, std::vector<ValueId> items) {
    Value value;
    value.kind = kind;
    value.items = std::move(items);
    return push(std::move(value)), true;
  };
  switch (opcode) {
    case ']':  // EMPTY_LIST
      return push_items(Kind::kList, {});
    case ')':  // EMPTY_TUPLE
      return push_items(Kind::kTuple, {});
    case '}':  // EMPTY_DICT
      return push_items(Kind::kDict, {});
    case 0x8f:  // EMPTY_SET
      return push_items(Kind::kSet, {});
    case 'l':  // LIST
      return push_items(Kind::kList, pop_mark());
    case 't':  // TUPLE
      return push_items(Kind::kTuple, pop_mark());
    case 0x91:  // FROZENSET
      return push_items(Kind::kSet, pop_mark());
    case 'd': {  // DICT
      const std::vector<ValueId> items = pop_mark();
      push_items(Kind::kDict, {});
      return set_items(top(), items), true;
    }
    case 0x85:  // TUPLE1
    case 0x86:  // TUPLE2
    case 0x87:  // TUPLE3
      return build_tuple(opcode - 0x84), true;
    case 'a': {  // APPEND
      const ValueId item = pop();
      return append(top(), {&item, 1}), true;
    }
    case 'e':     // APPENDS
    case 0x90: {  // ADDITEMS
      const std::vector<ValueId> items = pop_mark();
      return append(top(), items), true;
    }
    case 's': {  // SETITEM
      const ValueId value = pop(), key = pop();
      const ValueId pair[] = {key, value};
      return set_items(top(), pair), true;
    }
    case 'u': {  // SETITEMS
      const std::vector<ValueId> items = pop_mark();
      return set_items(top(), items), true;
    }
    default:
      return false;
  }
}

bool PickleMachine::step_object(uint8_t opcode) {
  switch (opcode) {
    case 'c': {  // GLOBAL
      const std::string_view module = take_line(), name = take_line();
      return stack_.push_back(global(module, name)), true;
    }
    case 0x93: {  // STACK_GLOBAL
      const ValueId name = pop(), module = pop();
      const ValueId found =
          global(expect(module, Kind::kText, "a module").text, expect(name, Kind::kText, "a name").text);
      return stack_.push_back(found), true;
    }
    case 'R': {  // REDUCE
      const ValueId arguments = pop(), function = pop();
      // A copy: the call may grow the vector of values.
      const std::vector<ValueId> items = expect(arguments, Kind::kTuple, "arguments").items;
      charge(items.size());
      return stack_.push_back(call(function, items)), true;
    }
    case 'i': {  // INST
      const std::string_view module = take_line(), name = take_line();
      const ValueId type = global(module, name);
      const std::vector<ValueId> arguments = pop_mark();
      return stack_.push_back(construct(type, arguments)), true;
    }
    case 'o': {  // OBJ
      const std::vector<ValueId> items = pop_mark();
      if (items.empty()) throw Malformed("the pickle makes an object without a class");
      return stack_.push_back(construct(items[0], std::span(items).subspan(1))), true;
    }
    case 0x81:    // NEWOBJ
    case 0x92: {  // NEWOBJ_EX
      if (opcode == 0x92) expect(pop(), Kind::kDict, "keyword arguments");
      const ValueId arguments = pop(), type = pop();
      const std::vector<ValueId> items = expect(arguments, Kind::kTuple, "arguments").items;
      charge(items.size());
      return stack_.push_back(construct(type, items)), true;
    }
    case 'b': {  // BUILD
      const ValueId state = pop();
      return build(top(), state), true;
    }
    case 'Q':  // BINPERSID
      return stack_.push_back(persistent_id(pop())), true;
    default:
      return false;
  }
}

}  // namespace sextant::checkpoint
