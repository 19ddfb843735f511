#include "weights/groups.h"

#include <algorithm>
#include <cctype>
#include <deque>
#include <set>

#include "internal/runtime/text.h"

namespace sextant::models {

using checkpoint::Checkpoint;
using checkpoint::StateDict;

namespace {

/// DataParallel, torch.compile, DeepSpeed and Lightning's Fabric, FSDP, activation checkpoints.
const std::set<std::string> kWrappers = {"module", "_orig_mod", "_forward_module", "_fsdp_wrapped_module",
                                         "_checkpoint_wrapped_module"};

/// "modelEMA_2" -> model, ema
std::set<std::string> words_of(const std::string& segment) {
  std::set<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.insert(word);
    word.clear();
  };
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const auto byte = [&](std::size_t at) { return at < segment.size() ? static_cast<unsigned char>(segment[at]) : 0; };
    if (!std::isalpha(byte(i))) {
      end_word();
      continue;
    }
    const bool after_lower = i > 0 && std::islower(byte(i - 1));
    if (std::isupper(byte(i)) && (after_lower || (std::islower(byte(i + 1)) && !word.empty()))) end_word();
    word += static_cast<char>(std::tolower(byte(i)));
  }
  end_word();
  return words;
}

bool has_word(const std::string& segment, const std::set<std::string>& wanted) {
  const std::set<std::string> words = words_of(segment);
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return wanted.count(word) != 0; });
}

/// What stands among the weights of a module that is more than its network.
bool is_company(const std::string& segment) {
  static const std::set<std::string> kWords = {"criterion", "criteria", "loss",   "losses",    "metric",    "metrics",
                                               "accuracy",  "optim",    "scaler", "scheduler", "optimizer", "ema"};
  return has_word(segment, kWords);
}

/// A place in the tree of names and the tensors below it.
struct Node {
  std::string path;  ///< with a dot at its end unless it is ""
  std::vector<std::size_t> tensors;
  int depth = 0;
};

/// Names without `path`, in the file's order.
std::vector<std::string> inner_names(const std::vector<StateDict::Item>& items, const Node& node) {
  std::vector<std::string> names;
  names.reserve(node.tensors.size());
  for (const std::size_t i : node.tensors) names.push_back(items[i].first.substr(node.path.size()));
  return names;
}

std::string without_wrappers(const std::string& name, std::vector<std::string>& dropped) {
  std::vector<std::string> kept;
  const std::vector<std::string> segments = split(name, '.');
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i + 1 == segments.size() || kWrappers.count(segments[i]) == 0) {
      kept.push_back(segments[i]);
    } else if (std::find(dropped.begin(), dropped.end(), segments[i]) == dropped.end()) {
      dropped.push_back(segments[i]);
    }
  }
  return joined(kept, ".");
}

class Search {
 public:
  Search(const Checkpoint& file, std::size_t fewest, const FitTest& fits)
      : file_(file), items_(file.tensors.begin(), file.tensors.end()), fewest_(fewest), fits_(fits) {}

  std::vector<Group> run() {
    std::deque<Node> queue(1);
    for (std::size_t i = 0; i < items_.size(); ++i) queue.front().tensors.push_back(i);
    for (int visited = 0; !queue.empty() && visited < kMostNodes; ++visited) {
      const Node node = std::move(queue.front());
      queue.pop_front();
      std::vector<Node> children = children_of(node);
      const bool whole = take(node, {});
      if (!whole) {
        // Without what keeps it company, which may hold groups of its own.
        std::vector<Node> company, weights;
        for (Node& child : children) {
          (keeps_company(node, child) ? company : weights).push_back(std::move(child));
        }
        const bool taken = !company.empty() && !weights.empty() && take(node, company);
        children = std::move(company);
        if (!taken) children.insert(children.end(), weights.begin(), weights.end());
        for (Node& child : children) {
          if (child.tensors.size() >= fewest_ && child.depth <= kDeepest && !names_optimizer(child.path)) {
            queue.push_back(std::move(child));
          }
        }
      }
    }
    take_what_is_around();
    return std::move(groups_);
  }

 private:
  static constexpr int kMostNodes = 2000, kDeepest = 16;

  std::string segment_of(const Node& child) const {
    const std::string path = child.path.substr(0, child.path.size() - 1);
    return path.substr(path.rfind('.') + 1);
  }

  bool keeps_company(const Node& node, const Node& child) const {
    const std::string segment = segment_of(child);
    const bool dictionary = std::find(file_.groups.begin(), file_.groups.end(), segment) != file_.groups.end();
    return (node.path.empty() && dictionary) || is_company(segment);
  }

  std::vector<Node> children_of(const Node& node) const {
    std::vector<Node> children;
    std::unordered_map<std::string, std::size_t> index;
    for (const std::size_t i : node.tensors) {
      const std::string& name = items_[i].first;
      const std::size_t dot = name.find('.', node.path.size());
      if (dot == std::string::npos) continue;
      const std::string path = name.substr(0, dot + 1);
      const auto [place, fresh] = index.try_emplace(path, children.size());
      if (fresh) children.push_back({path, {}, node.depth + 1});
      children[place->second].tensors.push_back(i);
    }
    return children;
  }

  /// Weights may stand beside a group that fits too: "conv1.weight" and "module.conv1.weight".
  void take_what_is_around() {
    std::set<std::string> parents;
    std::vector<std::string> found;
    for (const Group& group : groups_) {
      found.push_back(group.name + ".");
      parents.insert(group.name.substr(0, group.name.rfind('.') == std::string::npos ? 0 : group.name.rfind('.') + 1));
    }
    if (std::find(found.begin(), found.end(), ".") != found.end()) return;
    for (const std::string& parent : parents) {
      Node node{parent, {}, 0};
      for (std::size_t i = 0; i < items_.size(); ++i) {
        const std::string& name = items_[i].first;
        const bool in_group =
            std::any_of(found.begin(), found.end(), [&](const auto& g) { return name.starts_with(g); });
        if (name.starts_with(parent) && !in_group) node.tensors.push_back(i);
      }
      take(node, {});
    }
  }

  /// Adds the node as a group where it fits without the tensors of `company`.
  bool take(const Node& whole, const std::vector<Node>& company) {
    Node node = whole;
    std::vector<std::string> beside;
    if (!company.empty()) {
      std::set<std::size_t> left_out;
      for (const Node& child : company) {
        left_out.insert(child.tensors.begin(), child.tensors.end());
        beside.push_back(segment_of(child));
      }
      std::erase_if(node.tensors, [&](std::size_t i) { return left_out.count(i) != 0; });
    }
    if (node.tensors.size() < fewest_ || node.tensors.empty()) return false;
    const std::vector<std::string> names = inner_names(items_, node);
    if (try_names(node, names, {}, beside, "")) return true;
    std::vector<std::string> dropped, plain;
    for (const std::string& name : names) plain.push_back(without_wrappers(name, dropped));
    if (!dropped.empty() && try_names(node, plain, dropped, beside, "")) return true;
    return try_without_prefix(node, plain, dropped, beside);
  }

  /// A common beginning of all names that ends within a segment, such as "net_".
  bool try_without_prefix(const Node& node, const std::vector<std::string>& names,
                          const std::vector<std::string>& dropped, const std::vector<std::string>& beside) {
    std::string common = names.front();
    for (const std::string& name : names) {
      const auto [end, other] = std::mismatch(common.begin(), common.end(), name.begin(), name.end());
      common.erase(end, common.end());
    }
    for (std::size_t length = 1; length <= common.size() && names.size() > 1; ++length) {
      const auto last = static_cast<unsigned char>(common[length - 1]);
      if (std::isalnum(last) || last == '.') continue;
      std::vector<std::string> shorter;
      for (const std::string& name : names) shorter.push_back(name.substr(length));
      if (try_names(node, shorter, dropped, beside, common.substr(0, length))) return true;
    }
    return false;
  }

  bool try_names(const Node& node, const std::vector<std::string>& names, const std::vector<std::string>& dropped,
                 const std::vector<std::string>& beside, const std::string& prefix) {
    StateDict tensors;
    for (std::size_t k = 0; k < names.size(); ++k) {
      if (tensors.contains(names[k])) return false;
      tensors.set(names[k], items_[node.tensors[k]].second);
    }
    if (!fits_(tensors)) return false;
    std::string name = node.path + prefix;
    if (name.ends_with('.')) name.pop_back();
    groups_.push_back({name, std::move(tensors), dropped, beside, names_average(name)});
    return true;
  }

  const Checkpoint& file_;
  const std::vector<StateDict::Item> items_;
  std::size_t fewest_;
  const FitTest& fits_;
  std::vector<Group> groups_;
};

}  // namespace

bool names_average(const std::string& group) {
  static const std::set<std::string> kAverage = {"ema",      "emamodel", "modelema", "shadow", "average",
                                                 "averaged", "avg",      "swa",      "polyak"};
  static const std::set<std::string> kRaw = {"online", "raw", "student", "current", "live", "collected"};
  bool average = false;
  for (const std::string& segment : split(group, '.')) {
    if (has_word(segment, kAverage)) average = true;
    if (has_word(segment, kRaw)) average = false;
  }
  return average;
}

bool names_optimizer(const std::string& group) {
  static const std::set<std::string> kWords = {"optim",    "optimizer", "optimizers", "optimiser", "opt",
                                               "momentum", "grad",      "grads",      "gradients"};
  const std::vector<std::string> segments = split(group, '.');
  return std::any_of(segments.begin(), segments.end(), [](const std::string& segment) {
    return has_word(segment, kWords) || segment.starts_with("exp_avg") || segment.starts_with("max_exp_avg");
  });
}

std::vector<Group> find_groups(const Checkpoint& file, std::size_t fewest, const FitTest& fits) {
  return Search(file, fewest, fits).run();
}

Group group_named(const Checkpoint& file, const std::string& name) {
  Group group{name, {}};
  const std::string path = name.empty() ? "" : name + ".";
  for (const auto& [full, tensor] : file.tensors) {
    if (!full.starts_with(path)) continue;
    std::vector<std::string> dropped;
    const std::string inner = without_wrappers(full.substr(path.size()), dropped);
    group.tensors.set(group.tensors.contains(inner) ? full.substr(path.size()) : inner, tensor);
  }
  group.average = names_average(name);
  return group;
}

std::vector<std::string> top_names(const Checkpoint& file) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors) {
    const std::string top = name.substr(0, name.find('.'));
    if (std::find(names.begin(), names.end(), top) == names.end()) names.push_back(top);
  }
  return names;
}

}  // namespace sextant::models
