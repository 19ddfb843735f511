#include <algorithm>

#include "internal/runtime/text.h"
#include "sextant/models/models.h"
#include "sextant/runtime/error.h"
#include "weights/averages.h"
#include "weights/fit.h"
#include "weights/groups.h"
#include "weights/weights_choice.h"

namespace sextant::models {

using checkpoint::Checkpoint;
using checkpoint::StateDict;

namespace {

std::string in_quotes(const std::string& name) { return name.empty() ? "the file itself" : "'" + name + "'"; }

std::string in_quotes(std::vector<std::string> names, const std::string& last = "") {
  constexpr std::size_t kMost = 8;
  const std::size_t more = names.size() > kMost ? names.size() - kMost : 0;
  names.resize(names.size() - more);
  for (std::string& name : names) name = in_quotes(name);
  return joined(names, ", ", last) + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

/// Running statistics that an average lacks are those of the weights beside it.
void complete(Group& average, const Group& weights, const networks::Network& network) {
  Group whole = average;
  for (const auto& [name, tensor] : weights.tensors) {
    if (!whole.tensors.contains(name)) whole.tensors.set(name, tensor);
  }
  if (!fit(network, whole.tensors).exact) return;
  whole.completed_by = weights.name;
  average = std::move(whole);
}

bool same_contents(const StateDict& a, const StateDict& b) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const auto& item) {
    if (!b.contains(item.first)) return false;
    const Tensor& other = b.at(item.first);
    return other.scalar_type() == item.second.scalar_type() && other.equal(item.second);
  });
}

/// All groups of a file that fit a network.
std::vector<Group> groups_for(const networks::Network& network, const Checkpoint& file) {
  std::vector<Group> weights, averages, incomplete;
  for (Group& group : find_groups(file, fewest_tensors(network), [&](const StateDict& tensors) {
         const Fit result = fit(network, tensors);
         return result.exact || result.lacks_statistics;
       })) {
    const bool exact = fit(network, group.tensors).exact;
    if (!exact && !group.average) continue;
    (exact ? group.average ? averages : weights : incomplete).push_back(std::move(group));
  }
  for (Group& group : incomplete) {
    if (weights.empty()) break;
    complete(group, weights.front(), network);
    if (!group.completed_by.empty()) averages.push_back(std::move(group));
  }
  for (Group& group : unnamed_averages(network, file, weights)) averages.push_back(std::move(group));
  averages.insert(averages.end(), weights.begin(), weights.end());
  return averages;
}

std::string group_list(const std::vector<Group>& groups) {
  std::vector<std::string> names;
  for (const Group& group : groups) names.push_back(in_quotes(group.name) + (group.average ? " (an average)" : ""));
  return joined(names, ", ", " and ");
}

}  // namespace

Weights below_prefix(const Checkpoint& file, const std::string& prefix) {
  Weights weights{{}, prefix};
  for (const bool with_dot : {false, true}) {
    const std::string start = prefix + (with_dot ? "." : "");
    StateDict tensors;
    for (const auto& [name, tensor] : file.tensors) {
      if (name.starts_with(start) && name.size() > start.size()) tensors.set(name.substr(start.size()), tensor);
    }
    const bool dots = std::all_of(tensors.begin(), tensors.end(), [](const auto& i) { return i.first[0] == '.'; });
    if (tensors.empty()) break;
    weights.tensors = std::move(tensors);
    if (!dots) break;
  }
  if (weights.tensors.empty()) {
    throw UsageError("prefix '" + prefix + "': no tensor of " + file.source.string() +
                     " begins so; its names begin with " + in_quotes(top_names(file)));
  }
  return weights;
}

Weights likeliest(const Checkpoint& file, const WeightsChoice& choice) {
  if (choice.group.empty()) return {file.weights()};
  Group group = group_named(file, choice.group);
  if (group.tensors.empty()) {
    throw UsageError("weights '" + choice.group + "': " + file.source.string() + " has no such group; it has " +
                     in_quotes(top_names(file)));
  }
  return {std::move(group.tensors), group.name, group.average};
}

const Group& pick_group(const std::vector<Group>& all, const std::string& choice, const std::string& source) {
  std::vector<const Group*> pool = matching(all, choice);
  if (pool.empty()) {
    throw UsageError("weights '" + choice + "': " + source + " has no such group that fits; it has " + group_list(all));
  }
  if (std::any_of(pool.begin(), pool.end(), [](const Group* group) { return group->average; })) {
    std::erase_if(pool, [](const Group* group) { return !group->average; });
  }
  const Group& first = *pool.front();
  for (const Group* other : pool) {
    if (other == &first || same_contents(first.tensors, other->tensors)) continue;
    throw CheckpointError(source + ": two different groups fit, " + in_quotes(first.name) + " and " +
                          in_quotes(other->name) + "; name one as weights");
  }
  return first;
}

std::vector<const Group*> matching(const std::vector<Group>& groups, const std::string& choice) {
  using Level = bool (*)(const std::string& name, const std::string& choice);
  static constexpr Level kLevels[] = {
      [](const std::string& name, const std::string& wanted) { return name == wanted; },
      [](const std::string& name, const std::string& wanted) { return name.starts_with(wanted + "."); },
      [](const std::string& name, const std::string& wanted) {
        return ("." + name + ".").find("." + wanted + ".") != std::string::npos;
      }};
  std::vector<const Group*> found;
  for (const Level& level : kLevels) {
    for (const Group& group : groups) {
      if (choice.empty() || level(group.name, choice)) found.push_back(&group);
    }
    if (!found.empty()) break;
  }
  return found;
}

std::vector<std::string> notes_on(const Group& taken, const std::vector<Group>& all, const Checkpoint& file) {
  const std::string source = file.source.string();
  std::vector<std::string> others, notes;
  for (const Group& group : all) {
    if (group.name != taken.name) others.push_back(group.name);
  }
  std::string line;
  if (!taken.name.empty() || !others.empty()) {
    line = "its weights are " + in_quotes(taken.name) + (taken.average ? ", a moving average" : "");
    if (!taken.completed_by.empty()) line += ", with what it lacks of " + in_quotes(taken.completed_by);
    if (!others.empty())
      line += "; " + in_quotes(others, " and ") + (others.size() == 1 ? " fits" : " fit") +
              " too, the setting weights chooses";
  }
  std::vector<std::string> wrappers = taken.wrappers;
  for (std::string& wrapper : wrappers) wrapper += ".";
  if (!wrappers.empty()) line += (line.empty() ? "" : "; ") + in_quotes(wrappers, " and ") + " taken off the names";
  if (!taken.beside.empty()) line += (line.empty() ? "" : "; ") + in_quotes(taken.beside, " and ") + " left out";
  if (!line.empty()) notes.push_back(source + ": " + line);
  if (taken.average) return notes;
  for (const std::string& name : top_names(file)) {
    const bool fits = std::any_of(all.begin(), all.end(), [&](const Group& group) {
      return group.name == name || group.name.starts_with(name + ".");
    });
    if (fits || !names_average(name) || names_optimizer(name)) continue;
    notes.push_back(source + ": the moving average " + in_quotes(name) + " does not fit the network and is not used");
  }
  return notes;
}

Weights find_weights(const networks::Network& network, const Checkpoint& file, const WeightsChoice& choice) {
  Weights found;
  if (!choice.prefix.empty()) {
    found = below_prefix(file, choice.prefix);
  } else if (const std::vector<Group> all = groups_for(network, file); all.empty()) {
    found = likeliest(file, choice);
  } else if (!choice.group.empty() && matching(all, choice.group).empty() &&
             !group_named(file, choice.group).tensors.empty()) {
    found = likeliest(file, choice);
  } else {
    const std::string source = file.source.string();
    const Group& group = pick_group(all, choice.group, source);
    found = {group.tensors, group.name, group.average, notes_on(group, all, file)};
  }
  if (!file.unread.empty()) {
    found.notes.push_back(file.source.string() + ": objects of " + joined(file.unread, ", ") +
                          " left out, not executed");
  }
  return found;
}

}  // namespace sextant::models
