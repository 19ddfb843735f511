#include "pickle/pickle.h"

#include <charconv>

#include "pickle/machine.h"

namespace sextant::checkpoint {
namespace {

constexpr int kNewestProtocol = 5;
constexpr std::size_t kMostValues = 20'000'000;  // 1.3 GB of Values; real checkpoints have thousands

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
  if (target.kind == Kind::kObject) return;  // a list's subclass, or a deque: nobody looks inside
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

}  // namespace sextant::checkpoint
