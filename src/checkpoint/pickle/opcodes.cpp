// The opcodes that push literals, build containers and refer to globals; pickle.cpp has the rest.
#include <bit>
#include <charconv>

#include "pickle/machine.h"

namespace sextant::checkpoint {

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
