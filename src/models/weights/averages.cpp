#include "weights/averages.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "internal/runtime/text.h"
#include "weights/fit.h"

namespace sextant::models {

using checkpoint::Checkpoint;
using checkpoint::StateDict;
using Kind = networks::Parameters::Kind;

namespace {

/// The tensors that stand directly below an average's name.
using Direct = std::map<std::string, StateDict>;

Direct tensors_of_averages(const Checkpoint& file) {
  Direct direct;
  for (const auto& [name, tensor] : file.tensors) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos) continue;
    const std::string group = name.substr(0, dot);
    if (names_average(group) && !names_optimizer(group)) direct[group].set(name.substr(dot + 1), tensor);
  }
  return direct;
}

/// The tensors "0", "1", ... in order; none where others are among them.
std::vector<Tensor> as_list(const StateDict& tensors) {
  std::vector<Tensor> list(tensors.size());
  for (const auto& [name, tensor] : tensors) {
    std::size_t place = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), place);
    if (error != std::errc{} || end != name.data() + name.size() || place >= list.size()) return {};
    list[place] = tensor;
  }
  return list;
}

bool is_statistic(const std::string& name) {
  return name.ends_with("running_mean") || name.ends_with("running_var") || name.ends_with("num_batches_tracked");
}

/// A name and a shape, in the order of a module's parameters.
using Place = std::pair<std::string, std::vector<int64_t>>;

/// The orders in which the parameters may have been saved: with and without what does not train.
std::vector<std::vector<Place>> orders_of(const networks::Network& network, const StateDict* weights) {
  std::map<std::string, Kind> kinds;
  for (const auto& entry : network.parameters().entries()) kinds[entry.name] = entry.kind;
  std::vector<Place> all, parameters, trained;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    all.emplace_back(name, shape);
    if (is_statistic(name)) return;
    parameters.emplace_back(name, shape);
    const auto kind = kinds.find(name);
    if (kind == kinds.end() || kind->second != Kind::kConstant) trained.emplace_back(name, std::move(shape));
  };
  if (weights) {
    for (const auto& [name, tensor] : *weights) add(name, tensor.sizes().vec());
  } else {
    for (const auto& entry : network.parameters().entries()) add(entry.name, entry.shape);
  }
  return {all, parameters, trained};
}

/// The list under the names of the first order that has its shapes; nothing where none has.
StateDict named(const std::vector<Tensor>& list, const std::vector<std::vector<Place>>& orders) {
  for (const std::vector<Place>& order : orders) {
    const bool right = order.size() == list.size() &&
                       std::equal(order.begin(), order.end(), list.begin(), [](const Place& place, const Tensor& t) {
                         return t.defined() && t.sizes() == at::IntArrayRef(place.second);
                       });
    if (!right) continue;
    StateDict result;
    for (std::size_t i = 0; i < list.size(); ++i) result.set(order[i].first, list[i]);
    return result;
  }
  return {};
}

/// "diffusion_modelinput_blocks00weight" -> "input_blocks.0.0.weight": latent-diffusion's LitEma takes dots away. All
/// names have the same beginning. Nothing where a parameter is missing, or two have the same letters.
StateDict with_dots(const StateDict& tensors, const std::vector<Place>& parameters) {
  if (parameters.empty()) return {};
  std::map<std::string, std::string> dotted;
  for (const Place& place : parameters) {
    if (!dotted.emplace(replaced(place.first, ".", ""), place.first).second) return {};
  }
  const auto& [letters, first] = *dotted.begin();
  for (const auto& [name, tensor] : tensors) {
    if (!name.ends_with(letters)) continue;
    const std::string beginning = name.substr(0, name.size() - letters.size());
    StateDict result;
    for (const auto& [key, full] : dotted) {
      if (tensors.contains(beginning + key)) result.set(full, tensors.at(beginning + key));
    }
    if (result.size() == dotted.size()) return result;
  }
  return {};
}

}  // namespace

std::vector<Group> unnamed_averages(const networks::Network& network, const Checkpoint& file,
                                    const std::vector<Group>& weights) {
  // Safetensors files are sorted by name, so their order is not that of the parameters.
  const Group* beside = weights.empty() ? nullptr : &weights.front();
  const bool ordered = beside && file.format != checkpoint::Format::kSafetensors;
  std::vector<std::vector<Place>> orders = orders_of(network, ordered ? &beside->tensors : nullptr);
  std::vector<Group> averages;
  for (const auto& [name, tensors] : tensors_of_averages(file)) {
    if (tensors.size() < fewest_tensors(network)) continue;
    StateDict found = named(as_list(tensors), orders);
    if (found.empty()) found = with_dots(tensors, orders.back());
    if (found.empty()) continue;
    Group group{name, std::move(found), {}, {}, true};
    if (beside) {
      for (const auto& [inner, tensor] : beside->tensors) {
        if (group.tensors.contains(inner)) continue;
        group.tensors.set(inner, tensor);
        group.completed_by = beside->name;
      }
    }
    if (fit(network, group.tensors).exact) averages.push_back(std::move(group));
  }
  return averages;
}

}  // namespace sextant::models
