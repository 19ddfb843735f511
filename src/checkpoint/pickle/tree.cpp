#include "pickle/tree.h"

#include <algorithm>
#include <unordered_set>

#include "pickle/storages.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::checkpoint {
namespace {

using nlohmann::json;

class TreeWalk {
 public:
  TreeWalk(const Pickle& pickle, const FetchStorage& fetch)
      : pickle_(pickle), table_(pickle, fetch), budget_(100'000 + 16 * pickle.length) {}

  Checkpoint walk(const std::string& without) {
    json config = visit(pickle_.top(), "", 0);
    if (checkpoint_.tensors.empty()) {
      throw Malformed("holds no tensors" + (without.empty() ? instead_of_tensors() : without));
    }
    for (const std::string_view name : pickle_.unknown) checkpoint_.unread.push_back(text(name));
    for (const auto& [key, value] : named_items(pickle_.top())) {
      if (value->kind == Kind::kDict || value->kind == Kind::kObject) checkpoint_.groups.push_back(key);
    }
    checkpoint_.config = config.is_null() ? json::object() : std::move(config);
    return std::move(checkpoint_);
  }

 private:
  static constexpr int kDeepest = 200;

  void charge(std::size_t units) {
    if (units > budget_)
      throw Malformed("the pickle refers to the same values over and over, beyond any checkpoint's need");
    budget_ -= units;
  }

  /// What a file without tensors holds that may hide them.
  std::string instead_of_tensors() {
    if (pickle_.unknown.empty()) return "";
    return " but objects of " + shown(pickle_.unknown.front()) +
           (pickle_.unknown.size() > 1 ? " and " + std::to_string(pickle_.unknown.size() - 1) + " more kinds" : "") +
           ", which only its own program can read; nothing was executed. If it is your own model class, save its "
           "state_dict() instead";
  }

  /// Collects the tensors below `value`; returns what is no tensor, null for nothing.
  json visit(const Value& value, const std::string& name, int depth) {
    // Also the end of a value that contains itself.
    if (depth > kDeepest) throw Malformed("the pickle is nested more than " + std::to_string(kDeepest) + " deep");
    charge(1 + name.size());
    switch (value.kind) {
      case Kind::kTensor:
        add(name, value);
        return nullptr;
      case Kind::kDict:
      case Kind::kList:
      case Kind::kTuple:
        return visit_items(value, name, depth);
      case Kind::kObject:
        return visit_object(value, name, depth);
      default:
        return scalar(value);
    }
  }

  json visit_items(const Value& value, const std::string& name, int depth) {
    json result = value.kind == Kind::kDict ? json::object() : json::array();
    bool tensors_only = !value.items.empty();
    for (const auto& [key, item] : named_items(value)) {
      json part = visit(*item, name.empty() ? key : name + "." + key, depth + 1);
      if (item->kind == Kind::kTensor) continue;
      // A dictionary that held only tensors leaves nothing to tell.
      if (part.is_null() && item->kind != Kind::kNone) continue;
      tensors_only = false;
      if (result.is_object()) {
        result[key] = std::move(part);
      } else {
        result.push_back(std::move(part));
      }
    }
    return tensors_only ? json() : result;
  }

  /// A module's tensors as its state_dict() lists them; of other objects only their attributes as JSON.
  json visit_object(const Value& object, const std::string& name, int depth) {
    if (object.symbol == Symbol::kUnknown) return {{"class", text(object.text)}};
    const Value& state = attributes(object);
    const bool scripted = object.text.substr(0, 10) == "__torch__.";
    if (scripted && state.kind == Kind::kDict) {
      visit_items(state, name, depth);
      return {{"class", text(object.text)}};
    }
    if (!scripted && pickle_.find(state, "_modules")) {
      visit_module(state, name, depth);
      return description(object, state);
    }
    if (object.symbol == Symbol::kPersistent) return description(object, state);
    if (object.text == "argparse.Namespace" || object.text == "types.SimpleNamespace") {
      return visit_items(state, name, depth);
    }
    return {{"class", text(object.text)}};
  }

  void visit_module(const Value& state, const std::string& name, int depth) {
    std::unordered_set<std::string_view> transient;
    if (const Value* names = pickle_.find(state, "_non_persistent_buffers_set")) {
      for (const ValueId id : names->items) transient.insert(pickle_[id].text);
    }
    for (const char* part : {"_parameters", "_buffers", "_modules"}) {
      const Value* items = pickle_.find(state, part);
      if (!items || items->kind != Kind::kDict) continue;
      for (const auto& [key, item] : named_items(*items)) {
        if (std::string_view(part) == "_buffers" && transient.count(key)) continue;
        visit(*item, name.empty() ? key : name + "." + key, depth + 1);
      }
    }
  }

  /// Class and constructor arguments, from which a network can be built.
  json description(const Value& object, const Value& state) {
    json result = {{object.symbol == Symbol::kPersistent ? "class_name" : "class", text(object.text)}};
    for (const char* field : {"init_args", "init_kwargs"}) {
      const Value* value = pickle_.find(state, std::string("_") + field);
      if (value) result[field] = plain(*value, 0);
    }
    return result;
  }

  /// A value without tensors in it; tensors become null.
  json plain(const Value& value, int depth) {
    if (depth > kDeepest) throw Malformed("the pickle is nested more than " + std::to_string(kDeepest) + " deep");
    charge(1);
    if (value.kind != Kind::kDict && value.kind != Kind::kList && value.kind != Kind::kTuple) return scalar(value);
    json result = value.kind == Kind::kDict ? json::object() : json::array();
    for (const auto& [key, item] : named_items(value)) {
      if (result.is_object()) {
        result[key] = plain(*item, depth + 1);
      } else {
        result.push_back(plain(*item, depth + 1));
      }
    }
    return result;
  }

  json scalar(const Value& value) {
    switch (value.kind) {
      case Kind::kBool:
        return value.integer != 0;
      case Kind::kInt:
        return value.integer;
      case Kind::kFloat:
        return value.real;
      case Kind::kText:
      case Kind::kGlobal:
        return text(value.text);
      default:
        return nullptr;
    }
  }

  std::string text(std::string_view raw) {
    charge(raw.size());
    return is_utf8(raw) ? std::string(raw) : shown(raw);
  }

  const Value& attributes(const Value& object) const {
    const Value& state = pickle_[object.items[1]];
    // (__dict__, slots)
    return state.kind == Kind::kTuple && !state.items.empty() ? pickle_[state.items[0]] : state;
  }

  /// The members of a container and their names: dictionary keys as text, list positions as numbers.
  std::vector<std::pair<std::string, const Value*>> named_items(const Value& container) {
    std::vector<std::pair<std::string, const Value*>> result;
    charge(container.items.size());
    if (container.kind == Kind::kDict) {
      for (std::size_t i = 0; i + 1 < container.items.size(); i += 2) {
        result.emplace_back(key_name(pickle_[container.items[i]]), &pickle_[container.items[i + 1]]);
      }
    } else if (container.kind == Kind::kList || container.kind == Kind::kTuple) {
      for (std::size_t i = 0; i < container.items.size(); ++i) {
        result.emplace_back(std::to_string(i), &pickle_[container.items[i]]);
      }
    }
    return result;
  }

  std::string key_name(const Value& key) {
    switch (key.kind) {
      case Kind::kText:
      case Kind::kGlobal:
        return text(key.text);
      case Kind::kInt:
        return std::to_string(key.integer);
      case Kind::kBool:
        return key.integer ? "True" : "False";
      case Kind::kNone:
        return "None";
      case Kind::kFloat:
        return json(key.real).dump();
      default:
        return "?";
    }
  }

  void add(const std::string& name, const Value& value) {
    if (checkpoint_.tensors.contains(name)) throw Malformed("holds two tensors named " + shown(name));
    checkpoint_.tensors.set(name, table_.make(pickle_.tensors[static_cast<std::size_t>(value.integer)], name));
  }

  const Pickle& pickle_;
  TensorTable table_;
  std::size_t budget_;
  Checkpoint checkpoint_;
};

}  // namespace

Checkpoint checkpoint_from(const Pickle& pickle, const FetchStorage& fetch, const std::string& without) {
  return TreeWalk(pickle, fetch).walk(without);
}

}  // namespace sextant::checkpoint
