// Trained networks: which tensors of a file are their weights, and what opens them for samplers and guides.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/networks/network.h"

namespace sextant::models {

// ---- weights ------------------------------------------------------------------------------------------------------
//
// Which tensors of a checkpoint file are a network's weights.
//
// Training scripts save the weights below any name, beside an optimiser, a criterion, a moving average. So the groups
// of a file (dictionaries, modules, common prefixes of names; breadth first) are compared with the network, and one
// that fits whole, names and shapes, is taken:
//
//   names      within a group, the wrappers `module`, `_orig_mod`, `_forward_module`, `_fsdp_wrapped_module` and
//              `_checkpoint_wrapped_module` are dropped wherever they stand
//   averages   moving averages of the weights come before the weights: groups with a word such as ema, shadow, swa or
//              average in their name, lists of tensors in the order of the parameters (torch_ema's `shadow_params`),
//              and latent-diffusion's names without dots. Running statistics that an average lacks are those of the
//              weights beside it.
//   state      of an optimiser is never taken
//   two        different groups that fit equally are refused, with both names

/// What is said about it from outside.
struct WeightsChoice {
  std::string group = {};   ///< a group by its name, such as "model" or "state_dict_ema"; "" leaves the choice
  std::string prefix = {};  ///< the weights are the tensors whose names begin so, as they stand; "" searches
};

struct Weights {
  checkpoint::StateDict tensors;        ///< as Network::load() takes them; they share the file's memory
  std::string group = {};               ///< "state_dict.model"; "" is the whole file
  bool average = false;                 ///< a moving average, by its name
  std::vector<std::string> notes = {};  ///< what was chosen and left out, a line each, for a reader
};

/// The weights of `network` in a file. Where no group fits it is the likeliest one, for load() to say what is wrong.
/// CheckpointError that names both where two different groups fit, UsageError that lists the groups for a choice that
/// there is not.
Weights find_weights(const networks::Network& network, const checkpoint::Checkpoint& file, const WeightsChoice& choice);

/// What was taken of a file.
struct WeightsRecord {
  std::filesystem::path file;
  std::string group;
  bool average = false;
  std::string hash;  ///< XXH3 (128 bits) of names, shapes and numbers; the same whatever holds them. "" without xxHash
  std::vector<std::string> notes;
};

// ---- opening ------------------------------------------------------------------------------------------------------
//
// Opens trained networks as what samplers and guides need.
//
// A model is a folder (config.json beside its weights) or a checkpoint file with the name of its architecture. A
// config.json holds: "type", the family; "model", its hyper-parameters; "input", what a classifier eats; "diffusion",
// the process of a diffusion model; "null_label"; "classes"; "weights", the file of the weights where it is not
// model.safetensors, and "weights_group" and "prefix", which say what in it they are. The registry is one table, one
// line a family.
// A TorchScript archive is a program: it is opened only as type or architecture "torchscript", never by a guess.
//
// All throw CheckpointError for a file and UsageError for a name that does not fit, in one line.

using networks::Role;

/// A model's configuration and where its weights are.
struct Description {
  nlohmann::json config;
  std::filesystem::path weights;                                     ///< the file
  std::shared_ptr<const checkpoint::Checkpoint> contents = nullptr;  ///< of the file, if describing it meant reading it
  WeightsChoice choice = {};                                         ///< of the tensors in it
};

/// What the file holds: it is read now unless it has been.
std::shared_ptr<const checkpoint::Checkpoint> contents_of(const Description& description);

/// The config.json that stands for a named architecture.
nlohmann::json arch_config(const std::string& arch);

/// A folder; or a checkpoint file with `arch`. A file without `arch` is described by the architecture that its weights
/// fit, when there is exactly one. An empty `choice` leaves a folder that of its config.json.
Description describe(const std::filesystem::path& path, const std::string& arch = "", const WeightsChoice& choice = {});

/// Device and compute dtype of a network, and who hears of its weights.
struct Placement {
  at::Device device = at::kCPU;
  at::ScalarType precision = at::kFloat;
  std::function<void(const WeightsRecord&)> opened = {};  ///< called for each file that weights were taken of
};

/// A network without weights, by its config.json.
std::unique_ptr<networks::Network> build(const nlohmann::json& config);
/// Gives a network its weights. CheckpointError: where they are those of another architecture, it says which fits.
void load_weights(networks::Network& network, const checkpoint::StateDict& weights, const std::string& source);
/// Gives a network the weights in its file and tells `opened`, where it is not empty. Errors as find_weights() and
/// load_weights(); CheckpointError too where libtorch can make nothing of them.
void load_network(networks::Network& network, const Description& description,
                  const std::function<void(const WeightsRecord&)>& opened = {});
/// A network with its weights, frozen for inference.
std::shared_ptr<const networks::Network> open_network(const Description& description, Placement placement);

/// Which named architectures a file's weights fit: the same names and shapes, every one.
struct Guess {
  std::vector<std::string> archs;  ///< fit exactly; several where they differ in more than shapes show
  std::string nearest;             ///< where none fits, the one that shares most, or ""
  nlohmann::json config;           ///< where no named one fits: "type" and "model" that fit exactly, or null
  std::string why;                 ///< one sentence for a reader
};
Guess guess_architecture(const checkpoint::StateDict& weights);

/// The same of the group of a file that fits, and its weights. Errors as find_weights(), also where two groups fit
/// different architectures.
struct FileGuess {
  Guess guess;
  Weights weights;
};
FileGuess guess_architecture(const checkpoint::Checkpoint& file, const WeightsChoice& choice = {});

// ---- features ------------------------------------------------------------------------------------------

/// A network that describes images [B, C, H, W], pixels 0 to 255, by features for the Frechet distance. A feature
/// network is as it is. A classifier describes them by the output of `layer`, which must be named, CLIP by its image
/// embedding ("visual"), both behind the input convention of the config.json and resized to its input.size. UsageError
/// that lists the layers for a `layer` that there is not.
std::shared_ptr<const networks::FeatureNetwork> open_features(const Description& description, Placement placement,
                                                              const std::string& layer = "");
std::shared_ptr<const networks::FeatureNetwork> open_features(const std::filesystem::path& path,
                                                              const std::string& arch, Placement placement,
                                                              const std::string& layer = "");

}  // namespace sextant::models
