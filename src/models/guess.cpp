#include "internal/models/registry.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::models {
namespace {

/// How well a state dict fits an architecture. Building a network costs no memory for weights.
struct Fit {
  int64_t right = 0;  ///< names with the right shape
  bool exact = false;
};

Fit fit(const networks::Network& network, const checkpoint::StateDict& published) {
  const checkpoint::StateDict weights = network.renamed(published);
  using Kind = networks::Parameters::Kind;
  Fit result;
  int64_t optional_missing = 0;
  int64_t missing = 0;
  const auto& entries = network.parameters().entries();
  for (const auto& entry : entries) {
    if (!weights.contains(entry.name)) {
      ++(entry.kind == Kind::kConstant || entry.kind == Kind::kCounter ? optional_missing : missing);
    } else if (weights.at(entry.name).sizes() == at::IntArrayRef(entry.shape)) {
      ++result.right;
    }
  }
  const auto declared = static_cast<int64_t>(entries.size());
  result.exact = missing == 0 && result.right == declared - optional_missing &&
                 result.right == static_cast<int64_t>(weights.size());
  return result;
}

/// Every named architecture with its network, built once: that takes longer than to compare it.
struct Candidate {
  std::string name;
  std::unique_ptr<const networks::Network> network;
};
const std::vector<Candidate>& candidates() {
  static const std::vector<Candidate> kCandidates = [] {
    std::vector<Candidate> all;
    for (const Architecture& architecture : architectures()) {
      const nlohmann::json& config = architecture.preset.config;
      if (networks::family_of(config).make) all.push_back({architecture.preset.name, build(config)});
    }
    return all;
  }();
  return kCandidates;
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

Deduced deduced(const checkpoint::StateDict& weights) {
  for (const networks::Family& family : networks::families()) {
    if (!family.deduce) continue;
    nlohmann::json config = {{"type", family.type}, {"model", family.deduce(weights)}};
    try {
      if (config["model"].is_null()) continue;
      const auto network = build(config);
      if (!fit(*network, weights).exact) continue;
      add_process(config, *network);
      return {config, family.assumed};
    } catch (const CheckpointError&) {
      continue;  // shapes that no network of this family has
    }
  }
  return {};
}

}  // namespace

Guess guess_architecture(const checkpoint::StateDict& weights) {
  Guess guess;
  int64_t most = 0;
  for (const Candidate& candidate : candidates()) {
    const Fit result = fit(*candidate.network, weights);
    if (result.exact) guess.archs.push_back(candidate.name);
    if (result.right > most) {
      most = result.right;
      guess.nearest = candidate.name;
    }
  }
  const std::string total = std::to_string(weights.size());
  if (!guess.archs.empty()) {
    guess.nearest = guess.archs.front();
    guess.why = "all " + total + " tensors fit " + joined(guess.archs, ", ");
    return guess;
  }
  const Deduced own = deduced(weights);
  guess.config = own.config;
  if (!guess.config.is_null()) {
    guess.nearest.clear();
    guess.why = "all " + total +
                " tensors fit no named architecture but a config.json, to be put in a folder with the file" +
                (own.assumed.empty() ? "" : " (not in the weights, so to be checked: " + own.assumed + ")");
  } else if (2 * most > static_cast<int64_t>(weights.size())) {
    guess.why = std::to_string(most) + " of " + total + " tensors fit " + guess.nearest +
                "; write a config.json beside the file with what differs";
  } else {
    guess.nearest.clear();
    guess.why = "its tensors fit no known architecture";
  }
  return guess;
}

}  // namespace sextant::models
