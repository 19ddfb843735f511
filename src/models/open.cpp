#include <c10/util/StringUtil.h>

#include "config_kinds.h"
#include "described.h"
#include "internal/models/mixture.h"
#include "internal/models/published.h"
#include "internal/models/registry.h"
#include "internal/runtime/content_hash.h"
#include "internal/runtime/files.h"
#include "internal/runtime/sentence.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "weights/fit.h"

namespace sextant::models {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// Whoever asks how many channels a model's samples have finds it where networks say it.
void note_dimension(json& config) {
  const json::json_pointer first("/model/means/0");
  if (config.contains(first) && config[first].is_array()) config["model"]["in_channels"] = config[first].size();
}

Description describe_file(const fs::path& path, const std::string& arch, const WeightsChoice& choice) {
  if (!arch.empty()) return {arch_config(arch), path, nullptr, choice};
  const auto file = std::make_shared<const checkpoint::Checkpoint>(checkpoint::load(path));
  if (file->config.contains("type")) {
    check_kinds(file->config, path.string());
    return {file->config, path, file, choice};
  }
  if (json own = described_in(*file, choice); !own.is_null()) return {std::move(own), path, file, choice};
  const Guess guess = guess_architecture(*file, choice).guess;
  if (guess.archs.size() == 1) return {arch_config(guess.archs.front()), path, file, choice};
  std::string advice = guess.archs.empty() ? "" : "; name the right one as arch";
  if (!guess.config.is_null()) advice = ": " + guess.config.dump();
  if (guess.nearest.empty() && guess.config.is_null() && file->format == checkpoint::Format::kTorchScript) {
    advice = "; to run the TorchScript program in it, which is code, name the architecture torchscript";
  }
  throw CheckpointError(path.string() + ": " + guess.why + advice);
}

WeightsChoice choice_in(const checkpoint::ModelFolder& folder) {
  WeightsChoice choice;
  for (const auto& [key, value] : {std::pair("weights_group", &choice.group), std::pair("prefix", &choice.prefix)}) {
    const auto found = folder.config.find(key);
    if (found == folder.config.end()) continue;
    if (!found->is_string()) throw CheckpointError(folder.config_path.string() + ": \"" + key + "\" is not a text");
    *value = found->get<std::string>();
  }
  return choice;
}

std::string hash_of(const networks::Network& network, const checkpoint::StateDict& published) {
  const checkpoint::StateDict weights = network.renamed(published);
  ContentHash hash;
  for (const auto& entry : network.parameters().entries()) {
    if (!weights.contains(entry.name) || entry.kind == networks::Parameters::Kind::kCounter) continue;
    hash.add(entry.name);
    hash.add(weights.at(entry.name));
  }
  return hash.digits();
}

/// Of a program, whose numbers are but a part of what it computes.
std::string hash_of(const fs::path& file) {
  ContentHash hash;
  hash.add(read_file(file));
  return hash.digits();
}

/// Runs `work`; what libtorch cannot do with the file's tensors is said in one line.
template <class Work>
auto of_file(const fs::path& file, const Work& work) {
  try {
    return work();
  } catch (const c10::Error& problem) {
    const std::string message = problem.what_without_backtrace();
    throw CheckpointError(file.string() +
                          ": libtorch cannot work with these weights: " + message.substr(0, message.find('\n')));
  }
}

}  // namespace

Description describe(const fs::path& path, const std::string& arch, const WeightsChoice& choice) {
  if (!fs::exists(path)) {
    throw CheckpointError(path.string() + ": no such file or folder; " +
                          (published_file(path) != nullptr ? "docs/checkpoints.md says where to get it"
                                                           : "give a model folder or a checkpoint file"));
  }
  if (!fs::is_directory(path)) return of_file(path, [&] { return describe_file(path, arch, choice); });
  checkpoint::ModelFolder folder =
      checkpoint::open_model_folder(path, [](const json& config) { return !is_mixture(config); });
  check_kinds(folder.config, folder.config_path.string());
  if (arch.empty()) check_entries(folder.config, folder.config_path.string());
  const bool chosen = !choice.group.empty() || !choice.prefix.empty();
  const WeightsChoice of_folder = chosen ? choice : choice_in(folder);
  if (!arch.empty()) folder.config = arch_config(arch);
  if (is_mixture(folder.config)) note_dimension(folder.config);
  return {std::move(folder.config), std::move(folder.weights), nullptr, of_folder};
}

std::shared_ptr<const checkpoint::Checkpoint> contents_of(const Description& description) {
  if (description.contents) return description.contents;
  return std::make_shared<const checkpoint::Checkpoint>(checkpoint::load(description.weights));
}

void load_weights(networks::Network& network, const checkpoint::StateDict& weights, const std::string& source) {
  try {
    network.load(weights, source);
  } catch (const CheckpointError& mismatch) {
    if (fit(network, weights).exact) throw;  // it is the numbers that are wrong
    const Guess guess = guess_architecture(weights);
    if (guess.archs.empty() && guess.config.is_null()) throw;
    throw CheckpointError(
        and_then(mismatch.what(),
                 "The file fits " + (guess.archs.empty() ? guess.config.dump() : "arch " + guess.archs.front())));
  }
}

void load_network(networks::Network& network, const Description& description,
                  const std::function<void(const WeightsRecord&)>& opened) {
  const fs::path& file = description.weights;
  of_file(file, [&] {
    Weights weights = find_weights(network, *contents_of(description), description.choice);
    load_weights(network, weights.tensors, file.string());
    if (const std::string doubt = doubt_about(description.config, weights.tensors); !doubt.empty()) {
      weights.notes.push_back(file.string() + ": not in the weights, so to be checked: " + doubt);
    }
    if (opened) opened({file, weights.group, weights.average, hash_of(network, weights.tensors), weights.notes});
  });
}

std::shared_ptr<const networks::Network> open_network(const Description& description, Placement placement) {
  if (is_mixture(description.config)) {
    throw CheckpointError(description.weights.string() +
                          ": a mixture is exact mathematics and no network; it is a diffusion model, a classifier and "
                          "a judge of points, and nothing else");
  }
  const fs::path& file = description.weights;
  if (const auto open = networks::family_of(description.config).open) {
    if (placement.opened) placement.opened({file, "", false, hash_of(file), {}});
    return open(description.config.value("model", json::object()), file, placement.device, placement.precision);
  }
  return of_file(file, [&] {
    std::shared_ptr<networks::Network> network = build(description.config);
    load_network(*network, description, placement.opened);
    network->to(placement.device, placement.precision);
    network->freeze();
    return std::shared_ptr<const networks::Network>(std::move(network));
  });
}

}  // namespace sextant::models
