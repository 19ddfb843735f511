// What the calls of a pickle mean: each builds a value, none executes anything.
#include <cstring>

#include "pickle/machine.h"

namespace sextant::checkpoint {
namespace {

constexpr std::size_t kLongestName = 500;

}  // namespace

const Value& PickleMachine::expect(ValueId id, Kind kind, const char* what) const {
  const Value& value = out_.values[id];
  if (value.kind != kind) throw Malformed(std::string("the pickle has a value of the wrong kind in place of ") + what);
  return value;
}

int64_t PickleMachine::integer(ValueId id, const char* what) const { return expect(id, Kind::kInt, what).integer; }

ValueId PickleMachine::global(std::string_view module, std::string_view name) {
  if (module.size() > kLongestName || name.size() > kLongestName) throw Malformed("the pickle has an overlong name");
  const std::string joined = std::string(module) + "." + std::string(name);
  if (const auto known = globals_.find(joined); known != globals_.end()) return known->second;
  const Global meaning = find_global(joined);
  Value value;
  value.kind = Kind::kGlobal;
  value.symbol = meaning.symbol;
  value.dtype = meaning.dtype;
  value.text = out_.texts.emplace_back(joined);
  if (meaning.symbol == Symbol::kUnknown) out_.unknown.push_back(value.text);
  const ValueId id = push(std::move(value));
  pop();
  return globals_[joined] = id;
}

ValueId PickleMachine::call(ValueId function, std::span<const ValueId> arguments) {
  const Value& callee = expect(function, Kind::kGlobal, "a function");
  const auto need = [&](std::size_t count) {
    if (arguments.size() < count) throw Malformed("the pickle calls " + shown(callee.text) + " with too few arguments");
  };
  switch (callee.symbol) {
    case Symbol::kSame:
      need(1);
      return arguments[0];
    case Symbol::kRebuildTensor:
      need(4);
      return rebuild_tensor(arguments, false);
    case Symbol::kRebuildTensorV3:
      need(7);
      return rebuild_tensor(arguments, true);
    case Symbol::kRebuildFromType: {
      need(3);
      if (expect(arguments[0], Kind::kGlobal, "a function").symbol == Symbol::kRebuildFromType) {
        throw Malformed("the pickle nests " + shown(callee.text));
      }
      const std::vector<ValueId> inner = expect(arguments[2], Kind::kTuple, "arguments").items;
      charge(inner.size());
      return call(arguments[0], inner);
    }
    case Symbol::kLoadFromBytes:
      need(1);
      return load_from_bytes(arguments[0]);
    case Symbol::kPersistent:
      need(1);
      return persistent_object(arguments[0]);
    case Symbol::kEncode:
      need(1);
      return encode(arguments);
    case Symbol::kNumpyScalar:
      need(2);
      return numpy_scalar(arguments);
    case Symbol::kReconstructor:
      need(1);
      return construct(arguments[0], {});
    default:
      return construct(function, arguments);
  }
}

ValueId PickleMachine::construct(ValueId type, std::span<const ValueId> arguments) {
  const Value& callee = expect(type, Kind::kGlobal, "a class");
  switch (callee.symbol) {
    case Symbol::kDict:
      return make_dict(arguments);
    case Symbol::kList:
    case Symbol::kTuple:
    case Symbol::kSet: {
      Value value;
      value.kind = callee.symbol == Symbol::kList  ? Kind::kList
                   : callee.symbol == Symbol::kSet ? Kind::kSet
                                                   : Kind::kTuple;
      if (!arguments.empty()) {
        const Value& source = out_.values[arguments[0]];
        if (source.kind != Kind::kList && source.kind != Kind::kTuple && source.kind != Kind::kSet) {
          throw Malformed("the pickle makes a collection of something that is none");
        }
        charge(source.items.size());
        value.items = source.items;
      }
      push(std::move(value));
      return pop();
    }
    case Symbol::kOpaque:
    case Symbol::kUnknown: {
      const std::string_view name = callee.text;
      const Symbol symbol = callee.symbol;
      Value tuple;
      tuple.kind = Kind::kTuple;
      tuple.items.assign(arguments.begin(), arguments.end());
      push(std::move(tuple));
      return make_object(name, symbol, pop(), kNone);
    }
    default:
      throw Malformed("the pickle calls " + shown(callee.text) + ", which is not a function a checkpoint may call");
  }
}

ValueId PickleMachine::make_object(std::string_view type, Symbol symbol, ValueId arguments, ValueId state) {
  Value object;
  object.kind = Kind::kObject;
  object.symbol = symbol;
  object.text = type;
  object.items = {arguments, state};
  push(std::move(object));
  return pop();
}

/// OrderedDict(), OrderedDict([(k, v), ...]), Counter({...}); defaultdict(list) ignores its factory.
ValueId PickleMachine::make_dict(std::span<const ValueId> arguments) {
  Value dict;
  dict.kind = Kind::kDict;
  if (!arguments.empty()) {
    const Value& source = out_.values[arguments[0]];
    charge(source.items.size());
    if (source.kind == Kind::kDict) {
      dict.items = source.items;
    } else if (source.kind == Kind::kList || source.kind == Kind::kTuple) {
      for (const ValueId item : source.items) {
        const Value& pair = out_.values[item];
        if ((pair.kind != Kind::kTuple && pair.kind != Kind::kList) || pair.items.size() != 2) {
          throw Malformed("the pickle makes a dictionary of something other than pairs");
        }
        dict.items.insert(dict.items.end(), pair.items.begin(), pair.items.end());
      }
    } else if (source.kind != Kind::kGlobal && source.kind != Kind::kNone) {
      throw Malformed("the pickle makes a dictionary of something other than pairs");
    }
  }
  push(std::move(dict));
  return pop();
}

/// {type: 'class', version, module_src, class_name, state}: the module's source is not looked at.
ValueId PickleMachine::persistent_object(ValueId meta) {
  charge(expect(meta, Kind::kDict, "a persistent object").items.size());
  const Value& dict = out_.values[meta];
  std::string_view name;
  ValueId state = kNone;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const Value& key = out_.values[dict.items[i]];
    if (key.kind != Kind::kText) continue;
    if (key.text == "class_name") name = expect(dict.items[i + 1], Kind::kText, "a class name").text;
    if (key.text == "state") state = dict.items[i + 1];
  }
  if (name.empty()) throw Malformed("the pickle has a persistent object without a class name");
  return make_object(name, Symbol::kPersistent, kNone, state);
}

/// Text whose code points are bytes.
ValueId PickleMachine::encode(std::span<const ValueId> arguments) {
  const std::string_view text = expect(arguments[0], Kind::kText, "text").text;
  if (arguments.size() > 1) {
    const std::string_view codec = expect(arguments[1], Kind::kText, "an encoding").text;
    if (codec != "latin1" && codec != "latin-1") throw Malformed("the pickle encodes as " + shown(codec));
  }
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<uint8_t>(text[i]);
    if (lead < 0x80) {
      bytes += static_cast<char>(lead);
    } else if ((lead == 0xc2 || lead == 0xc3) && i + 1 < text.size() && (text[i + 1] & 0xc0) == 0x80) {
      bytes += static_cast<char>((lead & 3) << 6 | (text[++i] & 0x3f));
    } else {
      throw Malformed("the pickle encodes text that is not latin1");
    }
  }
  push_text(Kind::kBytes, keep(std::move(bytes)));
  return pop();
}

/// scalar(dtype(name), bytes), little-endian. Types with no use here become None.
ValueId PickleMachine::numpy_scalar(std::span<const ValueId> arguments) {
  const Value& dtype = expect(arguments[0], Kind::kObject, "a numpy dtype");
  const Value& type_arguments = out_.values[dtype.items[0]];
  if (dtype.text != "numpy.dtype" || type_arguments.items.empty())
    throw Malformed("the pickle has a malformed numpy scalar");
  const std::string_view name = expect(type_arguments.items[0], Kind::kText, "a numpy dtype").text;
  const std::string_view bytes = expect(arguments[1], Kind::kBytes, "a numpy scalar").text;
  Value value;
  const auto read = [&](auto& number) {
    if (bytes.size() != sizeof number) throw Malformed("the pickle has a numpy scalar of the wrong length");
    std::memcpy(&number, bytes.data(), sizeof number);
  };
  if (name == "f8") {
    value.kind = Kind::kFloat;
    read(value.real);
  } else if (name == "f4") {
    float number = 0;
    read(number);
    value.kind = Kind::kFloat;
    value.real = number;
  } else if (name == "i8" || name == "i4") {
    value.kind = Kind::kInt;
    int32_t narrow = 0;
    if (name == "i8") {
      read(value.integer);
    } else {
      read(narrow);
      value.integer = narrow;
    }
  } else if (name == "b1") {
    uint8_t byte = 0;
    read(byte);
    value.kind = Kind::kBool;
    value.integer = byte != 0;
  }
  push(std::move(value));
  return pop();
}

void PickleMachine::build(ValueId id, ValueId state) {
  Value& object = out_.values[id];
  switch (object.kind) {
    case Kind::kObject:
      object.items[1] = state;
      return;
    case Kind::kDict:    // attributes of an OrderedDict, such as a state dict's _metadata
    case Kind::kTensor:  // attributes of a Parameter
      return;
    default:
      throw Malformed("the pickle gives a state to a value that has none");
  }
}

}  // namespace sextant::checkpoint
