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
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/networks/network.h"

namespace sextant::models {

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

}  // namespace sextant::models
