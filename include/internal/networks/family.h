// Families of networks: all that the rest of the library knows of one is its row in the table.
//
// A family lies in a folder of its own (or, where several share their parts, a file of its own) and exports one
// function that returns its Family; src/networks/families.cpp lists them.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/noise.h"

namespace sextant::networks {

/// A named architecture: the config.json that a published checkpoint does not bring along.
struct Preset {
  std::string name;       ///< "resnet101", "adm128-cond", ...
  nlohmann::json config;  ///< "type", "model", and "input", "diffusion", "classes" as they apply
  bool guessed = true;    ///< false: its weights look like those of another one, which is taken unless this is named
};

struct Family {
  std::string type;  ///< config.json's "type"
  Role role;

  /// Builds the network that the "model" object of a config.json describes, without weights. A missing, unknown or
  /// unusable entry throws CheckpointError that names it. Null for a family whose file is the network itself.
  std::unique_ptr<Network> (*make)(const nlohmann::json& model) = nullptr;

  /// Named architectures; null without any.
  std::vector<Preset> (*presets)() = nullptr;

  /// The "model" object by the shapes of weights, or null where the names are not those of the family. What shapes do
  /// not show (strides, pooling) has the family's usual value. Whether every tensor fits is for the caller to check.
  nlohmann::json (*deduce)(const checkpoint::StateDict& weights) = nullptr;
  const char* assumed = "";  ///< what `deduce` (without it: a named architecture) cannot see and takes as usual

  /// What these weights, which a network of `model` fits, leave open beyond `assumed`, as a part of a sentence; ""
  /// where nothing. Null where that is so for all.
  std::string (*doubt)(const nlohmann::json& model, const checkpoint::StateDict& weights) = nullptr;

  /// The first value of a weight, drawn from `noise`, which has the weight's shape, as the family's authors start it.
  /// Null for a family that is only fine-tuned.
  Tensor (*initialise)(const Parameters::Entry& entry, const Parameters& all, const Noise& noise) = nullptr;

  /// For a family whose file is the network itself: opens it. There is nothing to make then.
  std::unique_ptr<Network> (*open)(const nlohmann::json& model, const std::filesystem::path& file, at::Device device,
                                   at::ScalarType precision) = nullptr;
};

/// Family::make of the network that is constructed from the config that `read` makes of a "model" object.
template <class Constructed, auto read>
std::unique_ptr<Network> make_from(const nlohmann::json& model) {
  return std::make_unique<Constructed>(read(model));
}

/// Every family, in the order in which named architectures are listed.
const std::vector<Family>& families();

/// The family of a config.json; CheckpointError for a missing or unknown type.
const Family& family_of(const nlohmann::json& config);

}  // namespace sextant::networks
