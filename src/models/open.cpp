#include <c10/util/StringUtil.h>

#include "internal/models/mixture.h"
#include "internal/models/registry.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// Whoever asks how many channels a model's samples have finds it where networks say it.
void note_dimension(json& config) {
  const json::json_pointer first("/model/means/0");
  if (config.contains(first) && config[first].is_array()) config["model"]["in_channels"] = config[first].size();
}

Description describe_file(const fs::path& path, const std::string& arch) {
  if (!arch.empty()) return {arch_config(arch), path};
  const auto file = std::make_shared<const checkpoint::Checkpoint>(checkpoint::load(path));
  if (file->config.contains("type")) return {file->config, path, file};
  const Guess guess = guess_architecture(file->weights());
  if (guess.archs.size() == 1) return {arch_config(guess.archs.front()), path, file};
  std::string advice = guess.archs.empty() ? "" : "; name the right one as arch";
  if (!guess.config.is_null()) advice = ": " + guess.config.dump();
  if (guess.nearest.empty() && guess.config.is_null() && file->format == "torchscript") {
    advice = "; to run the TorchScript program in it, which is code, name the architecture torchscript";
  }
  throw CheckpointError(path.string() + ": " + guess.why + advice);
}

}  // namespace

Description describe(const fs::path& path, const std::string& arch) {
  if (!fs::exists(path)) {
    throw CheckpointError(path.string() + ": no such file or folder; give a model folder or a checkpoint file");
  }
  if (!fs::is_directory(path)) return describe_file(path, arch);
  checkpoint::ModelFolder folder =
      checkpoint::open_model_folder(path, [](const json& config) { return !is_mixture(config); });
  if (!arch.empty()) folder.config = arch_config(arch);
  if (is_mixture(folder.config)) note_dimension(folder.config);
  return {std::move(folder.config), std::move(folder.weights)};
}

std::shared_ptr<const checkpoint::Checkpoint> contents_of(const Description& description) {
  if (description.contents) return description.contents;
  return std::make_shared<const checkpoint::Checkpoint>(checkpoint::load(description.weights));
}

void load_weights(networks::Network& network, const checkpoint::StateDict& weights, const std::string& source) {
  try {
    network.load(weights, source);
  } catch (const CheckpointError& mismatch) {
    const Guess guess = guess_architecture(weights);
    if (guess.archs.empty() && guess.config.is_null()) throw;
    throw CheckpointError(std::string(mismatch.what()) + " The file fits " +
                          (guess.archs.empty() ? guess.config.dump() : "arch " + guess.archs.front()));
  }
}

std::shared_ptr<const networks::Network> open_network(const Description& description, Placement placement) {
  if (is_mixture(description.config)) {
    throw CheckpointError(description.weights.string() +
                          ": a mixture is exact mathematics and no network; it is a diffusion model, a classifier and "
                          "a judge of points, and nothing else");
  }
  if (const auto open = networks::family_of(description.config).open) {
    return open(description.config.value("model", json::object()), description.weights, placement.device,
                placement.precision);
  }
  std::shared_ptr<networks::Network> network = build(description.config);
  load_weights(*network, contents_of(description)->weights(), description.weights.string());
  network->to(placement.device, placement.precision);
  network->freeze();
  return network;
}

}  // namespace sextant::models
