#include "described.h"
#include "internal/models/registry.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"
#include "weights/fit.h"
#include "weights/weights_choice.h"

namespace sextant::models {
namespace {

/// Every named architecture with its network, built once: that takes longer than to compare it.
struct Candidate {
  std::string name;
  std::unique_ptr<const networks::Network> network;
  std::size_t fewest = 0, most = 0;  ///< tensors that can fit it
};
constexpr std::size_t kMetadata = 3;  ///< tensors beside the weights that a family may pass over: CLIP's sizes
const std::vector<Candidate>& candidates() {
  static const std::vector<Candidate> kCandidates = [] {
    std::vector<Candidate> all;
    for (const Architecture& architecture : architectures()) {
      const nlohmann::json& config = architecture.preset.config;
      if (!networks::family_of(config).make || !architecture.preset.guessed) continue;
      all.push_back({architecture.preset.name, build(config)});
      all.back().fewest = fewest_tensors(*all.back().network);
      all.back().most = all.back().network->parameters().entries().size() + kMetadata;
    }
    return all;
  }();
  return kCandidates;
}

bool may_fit(const Candidate& candidate, const checkpoint::StateDict& weights) {
  return candidate.fewest <= weights.size() && weights.size() <= candidate.most;
}

/// A config.json whose network takes every tensor, and what of it is not in the shapes; null where there is none.
struct Deduced {
  nlohmann::json config;
  std::string assumed;
};

/// The process of published models, whose variance is learned where the network predicts twice the channels.
void add_process(nlohmann::json& config, const networks::Network& network) {
  const auto* noise = dynamic_cast<const networks::NoiseNetwork*>(&network);
  if (!noise) return;
  config["diffusion"] = {{"steps", 1000},
                         {"noise_schedule", "linear"},
                         {"learn_sigma", noise->out_channels() == 2 * noise->image_shape()[0]}};
}

/// "input" as the family's published networks have it, which weights do not show; null where they have none.
nlohmann::json usual_input(const networks::Family& family, const nlohmann::json& model) {
  if (family.role == Role::kFeatures || !family.presets) return nullptr;
  nlohmann::json input = family.presets().front().config.value("input", nlohmann::json());
  if (input.is_null()) return input;
  const auto channels = model.value("in_channels", int64_t{3});
  if (channels == 1) {  // as PyTorch's example for MNIST
    input = {{"range", {0, 1}}, {"mean", {0.1307}}, {"std", {0.3081}}, {"size", 28}};
  } else if (channels != 3) {
    input = {{"range", {0, 1}}};
  } else if (model.value("stem_kernel", int64_t{7}) == 3) {
    input["size"] = 32;  // CIFAR's
  }
  if (!input.contains("resize")) input["resize"] = "bilinear";
  return input;
}

/// Adds the usual input to a deduced config.json, and to what is assumed of it.
void add_input(const networks::Family& family, Deduced& deduced) {
  const nlohmann::json input = usual_input(family, deduced.config["model"]);
  if (input.is_null()) return;
  deduced.config["input"] = input;
  if (!deduced.assumed.empty()) deduced.assumed += "; ";
  deduced.assumed += "\"input\", which is as " + family.type + " networks are usually trained";
}

/// A named classifier whose last layer was replaced for other classes.
Deduced with_other_classes(const checkpoint::StateDict& weights) {
  for (const Candidate& candidate : candidates()) {
    nlohmann::json config = arch_config(candidate.name);
    const networks::Family& family = networks::family_of(config);
    if (family.role != Role::kClassifier || !may_fit(candidate, weights)) continue;
    const checkpoint::StateDict names = candidate.network->renamed(weights);
    int64_t classes = 0, wrong = 0;
    for (const auto& entry : candidate.network->parameters().entries()) {
      if (!names.contains(entry.name) || names.at(entry.name).sizes() == at::IntArrayRef(entry.shape)) continue;
      if (names.at(entry.name).dim() > 0) classes = names.at(entry.name).size(0);
      ++wrong;
    }
    if (wrong == 0 || wrong > 2 || classes == 0) continue;
    config["model"]["num_classes"] = config["classes"] = classes;
    try {
      if (!fit(*build(config), weights).exact) continue;
      return {config, "\"input\", which is that of " + candidate.name};
    } catch (const CheckpointError&) {
      continue;
    }
  }
  return {};
}

Deduced deduced(const checkpoint::StateDict& weights) {
  for (const networks::Family& family : networks::families()) {
    if (!family.deduce) continue;
    nlohmann::json config = {{"type", family.type}, {"model", family.deduce(weights)}};
    try {
      if (config["model"].is_null()) continue;
      const auto network = build(config);
      if (!fit(*network, weights).exact) continue;
      add_process(config, *network);
      Deduced result{config, family.assumed};
      add_input(family, result);
      return result;
    } catch (const CheckpointError&) {
      continue;  // shapes that no network of this family has
    } catch (const c10::Error&) {
      continue;
    }
  }
  return with_other_classes(weights);
}

/// The named architectures that the weights fit.
std::vector<std::string> fitting_archs(const checkpoint::StateDict& weights) {
  std::vector<std::string> archs;
  for (const Candidate& candidate : candidates()) {
    if (may_fit(candidate, weights) && fit(*candidate.network, weights).exact) archs.push_back(candidate.name);
  }
  return archs;
}

/// " (not in the weights, so to be checked: A; B)"
std::string to_be_checked(const std::string& assumed, const std::string& doubt) {
  if (assumed.empty() && doubt.empty()) return "";
  return " (not in the weights, so to be checked: " + assumed + (assumed.empty() || doubt.empty() ? "" : "; ") + doubt +
         ")";
}

/// What is open of weights that fit a named architecture: of a family that deduces nothing, what it assumes.
std::string to_be_checked(const std::string& arch, const checkpoint::StateDict& weights) {
  const nlohmann::json config = arch_config(arch);
  const networks::Family& family = networks::family_of(config);
  return to_be_checked(family.deduce ? "" : family.assumed, doubt_about(config, weights));
}

/// For a file that says itself what its network is: the named architectures that agree, else that config.
FileGuess guess_described(const nlohmann::json& config, Weights weights) {
  Guess guess = guess_architecture(weights.tensors);
  std::erase_if(guess.archs, [&](const std::string& arch) { return !agrees(arch_config(arch), config); });
  const std::string total = "all " + std::to_string(weights.tensors.size()) + " tensors fit ";
  guess.nearest = guess.archs.empty() ? "" : guess.archs.front();
  guess.config = guess.archs.empty() ? config : nlohmann::json();
  guess.why = guess.archs.empty()
                  ? total + "no named architecture but the arguments that the file holds: it opens as it is"
                  : total + joined(guess.archs, ", ");
  return {std::move(guess), std::move(weights)};
}

/// What a group fits, in a message.
std::string in_words(const Guess& guess) {
  return guess.archs.empty() ? guess.config.dump() : joined(guess.archs, ", ");
}

}  // namespace

FileGuess guess_architecture(const checkpoint::Checkpoint& file, const WeightsChoice& choice) {
  if (!choice.prefix.empty()) {
    Weights weights = below_prefix(file, choice.prefix);
    return {guess_architecture(weights.tensors), std::move(weights)};
  }
  if (const nlohmann::json config = described_in(file, choice); !config.is_null()) {
    return guess_described(config, find_weights(*build(config), file, choice));
  }
  const std::vector<Group> groups = find_groups(file, 2, [](const checkpoint::StateDict& tensors) {
    return !fitting_archs(tensors).empty() || !deduced(tensors).config.is_null();
  });
  std::vector<const Group*> pool = matching(groups, choice.group);
  if (pool.empty()) {
    Weights weights = likeliest(file, choice);
    weights.notes.push_back(file.source.string() +
                            ": which tensors are the weights is told by names alone, as no architecture fits");
    return {guess_architecture(weights.tensors), std::move(weights)};
  }
  if (std::any_of(pool.begin(), pool.end(), [](const Group* group) { return group->average; })) {
    std::erase_if(pool, [](const Group* group) { return !group->average; });
  }
  const Guess guess = guess_architecture(pool.front()->tensors);
  for (const Group* other : pool) {
    const Guess of_other = guess_architecture(other->tensors);
    if (of_other.archs == guess.archs && of_other.config == guess.config) continue;
    throw CheckpointError(file.source.string() + ": two groups fit different architectures, '" + pool.front()->name +
                          "' " + in_words(guess) + " and '" + other->name + "' " + in_words(of_other) +
                          "; name one as weights");
  }
  // With the network, averages that do not bear its names are found too.
  const auto network = build(guess.archs.empty() ? guess.config : arch_config(guess.archs.front()));
  return {guess, find_weights(*network, file, choice)};
}

Guess guess_architecture(const checkpoint::StateDict& weights) {
  Guess guess;
  int64_t most = 0;
  const networks::Network* nearest = nullptr;
  for (const Candidate& candidate : candidates()) {
    const Fit result = fit(*candidate.network, weights);
    if (result.exact) guess.archs.push_back(candidate.name);
    if (result.right > most) {
      most = result.right;
      guess.nearest = candidate.name;
      nearest = candidate.network.get();
    }
  }
  const std::string total = std::to_string(weights.size());
  if (!guess.archs.empty()) {
    guess.nearest = guess.archs.front();
    guess.why =
        "all " + total + " tensors fit " + joined(guess.archs, ", ") + to_be_checked(guess.archs.front(), weights);
    return guess;
  }
  const Deduced own = deduced(weights);
  guess.config = own.config;
  if (!guess.config.is_null()) {
    guess.nearest.clear();
    guess.why = "all " + total +
                " tensors fit no named architecture but a config.json, to be put in a folder with the file" +
                to_be_checked(own.assumed, doubt_about(own.config, weights));
  } else if (2 * most > static_cast<int64_t>(weights.size())) {
    guess.why = std::to_string(most) + " of " + total + " tensors fit " + guess.nearest;
    guess.why += "; " + misfits(*nearest, weights);
  } else {
    guess.nearest.clear();
    guess.why = "its tensors fit no known architecture";
  }
  return guess;
}

}  // namespace sextant::models
