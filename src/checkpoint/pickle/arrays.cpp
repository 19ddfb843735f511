// Dictionaries of numpy arrays. An array is a call that makes an empty one, and its state (version, sizes, dtype,
// whether Fortran's order, bytes); or with protocol 5 one call with bytes, dtype, sizes and order.
#include <algorithm>

#include "internal/checkpoint/pickled_arrays.h"
#include "npz/npy.h"
#include "pickle/pickle.h"

namespace sextant::checkpoint {
namespace {

class ArrayWalk {
 public:
  explicit ArrayWalk(const Blob& bytes)
      : file_(bytes), pickle_(std::make_shared<Pickle>(read_pickle(bytes))), budget_(100'000 + 16 * pickle_->length) {}

  PickledArrays walk() {
    visit(pickle_->top(), "", 0);
    return std::move(found_);
  }

 private:
  static constexpr int kDeepest = 20;

  void charge(std::size_t units) {
    if (units > budget_) throw Malformed("the pickle refers to the same values over and over");
    budget_ -= units;
  }

  static bool is_text(const Value& value) { return value.kind == Kind::kText || value.kind == Kind::kBytes; }

  void visit(const Value& value, const std::string& name, int depth) {
    if (depth > kDeepest) throw Malformed("the pickle is nested more than " + std::to_string(kDeepest) + " deep");
    charge(1 + name.size() + value.items.size());
    if (value.kind == Kind::kDict) {
      for (std::size_t i = 0; i + 1 < value.items.size(); i += 2) {
        const Value& key = at(value.items[i]);
        if (!is_text(key)) continue;
        const std::string part(key.text);
        visit(at(value.items[i + 1]), name.empty() ? part : name + "." + part, depth + 1);
      }
    } else if (value.kind == Kind::kInt) {
      found_.numbers[name] = {value.integer};
    } else if (value.kind == Kind::kList || value.kind == Kind::kTuple) {
      take_list(value, name);
    } else if (value.kind == Kind::kObject) {
      take_array(value, name);
    }
  }

  void take_list(const Value& list, const std::string& name) {
    const auto all = [&](auto is) {
      return std::all_of(list.items.begin(), list.items.end(), [&](ValueId id) { return is(at(id)); });
    };
    if (all([](const Value& item) { return item.kind == Kind::kInt; })) {
      for (const ValueId id : list.items) found_.numbers[name].push_back(at(id).integer);
    } else if (all(is_text)) {
      for (const ValueId id : list.items) {
        charge(at(id).text.size());
        found_.texts[name].emplace_back(at(id).text);
      }
    }
  }

  void take_array(const Value& object, const std::string& name) {
    const std::string_view type = object.text;
    if (type.ends_with(".multiarray._reconstruct")) {
      const Value& state = at(object.items[1]);
      if (state.kind != Kind::kTuple || state.items.size() != 5) throw malformed(name);
      make(name, at(state.items[1]), at(state.items[2]), at(state.items[3]).integer != 0, at(state.items[4]));
    } else if (type.ends_with(".numeric._frombuffer")) {
      const Value& arguments = at(object.items[0]);
      if (arguments.items.size() < 3) throw malformed(name);
      const bool fortran = arguments.items.size() > 3 && at(arguments.items[3]).text == "F";
      make(name, at(arguments.items[2]), at(arguments.items[1]), fortran, at(arguments.items[0]));
    }
  }

  void make(const std::string& name, const Value& sizes, const Value& dtype, bool fortran, const Value& bytes) {
    NpyHeader header;
    header.descr = descr_of(dtype, name);
    // Texts and objects: names of files, say.
    if (std::string_view("fiub").find(header.descr[1]) == std::string_view::npos) return;
    header.fortran_order = fortran;
    if (sizes.kind != Kind::kTuple || !is_text(bytes)) throw malformed(name);
    for (const ValueId id : sizes.items) {
      if (at(id).kind != Kind::kInt || at(id).integer < 0) throw malformed(name);
      header.shape.push_back(at(id).integer);
    }
    const auto* data = reinterpret_cast<const uint8_t*>(bytes.text.data());
    if (npy_data_size(header) != bytes.text.size()) throw malformed(name);
    // The text lies in the file or, decoded, in the pickle.
    const auto owner = std::make_shared<std::pair<Blob, std::shared_ptr<Pickle>>>(file_, pickle_);
    found_.arrays[name] = npy_array(header, {owner, {data, bytes.text.size()}});
  }

  /// dtype('f8', ...) with the state (version, byte order, ...): "<f8".
  std::string descr_of(const Value& dtype, const std::string& name) const {
    if (dtype.kind != Kind::kObject || dtype.text != "numpy.dtype") throw malformed(name);
    const Value& arguments = at(dtype.items[0]);
    if (arguments.items.empty() || at(arguments.items[0]).text.empty()) throw malformed(name);
    const Value& state = at(dtype.items[1]);
    const bool ordered = state.kind == Kind::kTuple && state.items.size() > 1 && at(state.items[1]).text.size() == 1;
    return std::string(ordered ? at(state.items[1]).text : "|") + std::string(at(arguments.items[0]).text);
  }

  static Malformed malformed(const std::string& name) {
    return Malformed("the pickle's array " + shown(name) + " is none that numpy writes of numbers");
  }

  const Value& at(ValueId id) const { return (*pickle_)[id]; }

  Blob file_;
  std::shared_ptr<Pickle> pickle_;
  std::size_t budget_;
  PickledArrays found_;
};

}  // namespace

bool is_pickle(Bytes bytes) { return bytes.size() > 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5; }

PickledArrays read_pickled_arrays(const Blob& bytes) { return ArrayWalk(bytes).walk(); }

}  // namespace sextant::checkpoint
