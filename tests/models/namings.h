// Networks and files of the tests about where in a file the weights are.
#pragma once

#include "models/torch_save.h"
#include "models/toy.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::models {

using checkpoint::StateDict;
using nlohmann::json;
using testing::Container;
using testing::dict;
using testing::message_of;
using testing::number;
using testing::prefixed;
using testing::TemporaryFolder;
using testing::text;
using testing::together;
using testing::TorchSave;

inline json resnet() {
  return {{"type", "resnet"},
          {"input", {{"range", {0, 1}}}},
          {"model", {{"block", "BasicBlock"}, {"layers", {1, 1}}, {"width", 8}, {"num_classes", 5}}}};
}

inline json adm() {
  return {{"type", "adm-unet"},
          {"diffusion", {{"steps", 100}, {"learn_sigma", true}}},
          {"model",
           {{"image_size", 8},
            {"in_channels", 3},
            {"model_channels", 32},
            {"out_channels", 6},
            {"num_res_blocks", 1},
            {"attention_resolutions", {2}},
            {"channel_mult", {1, 2}},
            {"num_heads", 1}}}};
}

inline json edm() {
  return {{"type", "edm"},
          {"model",
           {{"precond", "EDMPrecond"},
            {"model_type", "DhariwalUNet"},
            {"img_resolution", 8},
            {"img_channels", 3},
            {"label_dim", 0},
            {"model_channels", 32},
            {"channel_mult", {1}},
            {"num_blocks", 1},
            {"attn_resolutions", json::array()}}}};
}

inline StateDict file_beside_weights() {
  StateDict others;
  others.set("weight", at::ones({5}));
  return others;
}

class Namings : public ::testing::Test {
 protected:
  /// Opens the file of a model folder; what was taken is in `taken_`.
  std::shared_ptr<const networks::Network> open(const std::string& file, const json& config,
                                                WeightsChoice choice = {}) {
    json whole = config;
    whole["weights"] = file;
    std::ofstream(folder_ / "config.json") << whole;
    Placement placement;
    placement.opened = [this](const WeightsRecord& record) { taken_ = record; };
    return open_network(describe(std::filesystem::path(folder_ / "config.json").parent_path(), "", choice), placement);
  }
  /// Whether the network has these weights, bit by bit.
  static void expect_weights(const networks::Network& network, const StateDict& weights, const std::string& what) {
    for (const auto& entry : network.parameters().entries()) {
      if (!weights.contains(entry.name)) continue;
      EXPECT_TRUE(at::equal(entry.tensor, weights.at(entry.name))) << what << ": " << entry.name;
    }
  }
  static StateDict changed(const StateDict& weights) {
    StateDict others;
    for (const auto& [name, values] : weights) others.set(name, values + 0.5);
    return others;
  }

  TemporaryFolder folder_;
  WeightsRecord taken_;
};

}  // namespace sextant::models
